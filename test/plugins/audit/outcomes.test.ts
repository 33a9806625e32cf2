// Ends of calls for whoever counts them: told live, and read again from the log, they are the same.
import type { DurableOutcome, OutcomePage, Outcomes } from 'mcpgw/plugin'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { faulty } from './faulty-stores.ts'
import { agent, call, createExchange, type Gateway, payload, realClock, result, startGateway, tempDir } from './gateway.ts'

const { signal } = new AbortController()
const NOTHING = { through: new Map<string, number>(), place: undefined }

async function readAll(outcomes: Outcomes, known = NOTHING): Promise<{ pages: OutcomePage[]; place: string | undefined }> {
  const found: OutcomePage[] = []
  let last: string | undefined
  for await (const { pages, place } of outcomes.read(known, signal)) {
    found.push(...pages)
    last = place
  }
  return { pages: found, place: last }
}
const ends = (pages: readonly OutcomePage[]): DurableOutcome[] => pages.flatMap(({ outcomes }) => outcomes)
/** As JSON has it: what is undefined is left out. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each(['sqlite', 'postgres'] as const)('outcomes of a log in %s', kind => {
  describe.skipIf(kind === 'postgres' && server === undefined)('as a service', () => {
    let url: string | undefined
    let dir: string
    beforeAll(async () => {
      url = kind === 'postgres' ? await createDatabase() : undefined
    })
    beforeEach(async () => {
      dir = tempDir()
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
    })
    const start = async (): Promise<{ gateway: Gateway; outcomes: Outcomes; heard: OutcomePage[] }> => {
      const gateway = await startGateway({ dir, url })
      const heard: OutcomePage[] = []
      gateway.outcomes.listen(page => heard.push(page))
      return { gateway, outcomes: gateway.outcomes, heard }
    }

    test('each call is told once, with who, what, how long and how much, and is read as it was told', async () => {
      const { gateway, outcomes, heard } = await start()
      const failed = result({ isError: true, content: [] })
      await Promise.all([0, 1, 2].map(() => call(gateway, createExchange())))
      await call(gateway, createExchange({ args: payload({ a: 1 }) }), failed)
      await call(gateway, createExchange({ resource: { kind: 'read', server: 'files', uri: 'file:///a' }, action: 'resources/read' }))
      await gateway.hooks.onSettled!(createExchange(), { kind: 'denied', decision: { outcome: 'deny', by: [], obligations: [] } })
      const told = ends(heard)
      expect(told.map(one => [one.outcome, one.server, one.target, one.action])).toEqual([
        ...[0, 1, 2].map(() => ['answered', 'files', 'read', 'tools/call']),
        ['tool-error', 'files', 'read', 'tools/call'],
        ['answered', 'files', 'file:///a', 'resources/read'],
      ])
      expect(told[3]).toMatchObject({ tenant: 'acme', requestBytes: 7, resultBytes: failed.payload.bytes.length })
      expect(told[3]!.durationMs).toBeGreaterThanOrEqual(told[3]!.upstreamMs!)
      const { pages } = await readAll(outcomes)
      expect(plain(ends(pages))).toEqual(plain(told))
      // Live pages follow one another without gaps.
      for (const [i, page] of heard.entries()) if (i > 0) expect(page.first).toBe(heard[i - 1]!.through + 1)
      expect(await outcomes.whoIs([told[0]!.subject!, 'nobody'])).toEqual(new Map([[told[0]!.subject, { tenant: 'acme', id: agent.id }]]))
      await gateway.stop()
    })

    test('what was read is not given again, and another boot goes on there', async () => {
      const first = await start()
      await call(first.gateway, createExchange())
      const { pages, place } = await readAll(first.outcomes)
      await call(first.gateway, createExchange())
      await first.gateway.stop()
      const second = await start()
      await call(second.gateway, createExchange())
      const known = { through: new Map([[pages[0]!.stream, pages[0]!.through]]), place }
      const rest = await readAll(second.outcomes, known as typeof NOTHING)
      expect(ends(rest.pages)).toHaveLength(2)
      expect(rest.pages[0]).toMatchObject({ stream: pages[0]!.stream, first: pages[0]!.through + 1 })
      // A place of another log is none.
      const other = await readAll(second.outcomes, { ...NOTHING, place: `3 ${'0'.repeat(64)}` } as never)
      expect(ends(other.pages)).toHaveLength(3)
      await second.gateway.stop()
    })

    test('an answer that is withheld after it was recorded is no second call: it says what it corrects', async () => {
      const { gateway, outcomes, heard } = await start()
      const x = createExchange()
      await gateway.hooks.onSealed!(x)
      await gateway.hooks.onResponse!(x, result({ content: [] }))
      await gateway.hooks.onSettled!(x, { kind: 'failed', cause: 'withheld', code: 'withheld' })
      const [first, second] = ends(heard)
      expect(second).toMatchObject({ callId: first!.callId, outcome: 'withheld', revises: { outcome: 'answered', at: first!.at } })
      expect(plain(ends((await readAll(outcomes)).pages))).toEqual(plain(ends(heard)))
      await gateway.stop()
    })

    test('calls of a killed gateway are read as unknown', async () => {
      const killed = await start()
      await killed.gateway.hooks.onSealed!(createExchange())
      await killed.gateway.stop()
      const { gateway, outcomes, heard } = await start()
      expect(ends(heard)).toEqual([])
      expect(ends((await readAll(outcomes)).pages)).toMatchObject([{ outcome: 'unknown', errorCode: 'gateway-restart', target: 'read' }])
      await gateway.stop()
    })
  })
})

test.each(['before', 'after'] as const)('a failed append that was stored %s the failure is told exactly once', async when => {
  const dir = tempDir()
  let fault = false
  const stores = faulty(dir, {
    next() {
      if (!fault) return undefined
      fault = false
      return when === 'before' ? 'disk' : { after: 'disk' }
    },
  })
  const gateway = await startGateway({ dir, stores, clock: realClock })
  const heard: OutcomePage[] = []
  gateway.outcomes.listen(page => heard.push(page))
  await call(gateway, createExchange())
  const x = createExchange()
  await gateway.hooks.onSealed!(x)
  fault = true
  await gateway.hooks.onResponse!(x, result({ content: [] }))
  await gateway.healthIs('degraded')
  await call(gateway, createExchange())
  const read = ends((await readAll(gateway.outcomes)).pages)
  expect(plain(ends(heard))).toEqual(plain(read))
  expect(read.map(one => one.callId)).toHaveLength(3)
  expect(new Set(read.map(one => one.callId)).size).toBe(3)
  for (const [i, page] of heard.entries()) if (i > 0) expect(page.first).toBe(heard[i - 1]!.through + 1)
  await gateway.stop()
})
