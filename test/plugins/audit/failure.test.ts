// T60 for the record: whichever operation of the store fails, no effect without an intent, no "ok" without an outcome, and the chain heals.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Stores } from 'mcpgw/plugin'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { faulty } from './faulty-stores.ts'
import {
  call,
  createExchange,
  type Gateway,
  readBodies,
  readRows,
  realClock,
  refused,
  runCommand,
  startGateway,
  tempDir,
} from './gateway.ts'

/** Time that the test moves: timers run when told. */
const hasty = { ...realClock, after: (ms: number, run: () => void) => realClock.after(Math.min(ms, 2), run) }

const verdictOf = async (gateway: Gateway): Promise<string> => {
  await gateway.stop()
  return (await runCommand(gateway.dir, 'audit verify')).out
}

describe.each(['before the write', 'after the write'] as const)('an operation that fails %s', when => {
  // Operations: stream.start, gateway.start, then intent and outcome of each call, recovery and what it writes.
  test.each([3, 4, 5, 6, 7, 8])('the %d. operation: no effect without intent, no ok without outcome, and the log heals', async nth => {
    let count = 0
    const dir = tempDir()
    const stores = faulty(dir, {
      next() {
        count += 1
        if (count !== nth && count !== nth + 1) return undefined
        return when === 'before the write' ? 'disk full' : { after: 'fate unknown' }
      },
    })
    const gateway = await startGateway({
      dir,
      stores,
      config: { checkpoints: { records: 20 }, anchors: [{ file: join(dir, 'anchor.txt') }] },
      clock: { ...realClock, after: (ms, run) => realClock.after(ms >= 2000 ? ms : 1, run) },
    })
    const effects: string[] = []
    const answered: string[] = []
    for (let i = 0; i < 6; i++) {
      const x = createExchange()
      const intentsAtEffect = (): boolean => readRows(dir).some(row => row.type === 'intent' && row.call === x.id)
      const outcome = await call(gateway, x, undefined, () => {
        expect(intentsAtEffect()).toBe(true)
        effects.push(x.id)
      })
      if (outcome === 'ok') {
        expect(readRows(dir).some(row => row.type === 'outcome' && row.call === x.id)).toBe(true)
        answered.push(x.id)
      }
      if (gateway.health?.status === 'failing') await gateway.healthIs('degraded')
    }
    expect(answered.length).toBeGreaterThanOrEqual(4)
    expect(effects).toEqual(expect.arrayContaining(answered))
    // Afterwards each effect has exactly one intent and one outcome, also where the outcome came late and the answer was withheld for it.
    const rows = readRows(dir)
    for (const id of effects) {
      expect(rows.filter(row => row.call === id).map(row => row.type)).toEqual(
        answered.includes(id) ? ['intent', 'outcome'] : ['intent', 'outcome', 'outcome.withheld'],
      )
    }
    await gateway.stop()
    const proof = await runCommand(dir, 'audit verify', { checkpoint: join(dir, 'anchor.txt') })
    expect(proof).toMatchObject({ code: 0, out: expect.stringMatching(/^PROVEN .* in 1 stream, \d+ checkpoints? of its own\n$/) as string })
  })
})

describe.skipIf(server === undefined)('an operation on PostgreSQL that fails', () => {
  test.each([
    [4, 'before'],
    [5, 'before'],
    [4, 'after'],
    [5, 'after'],
  ])('the %d., %s the write: what was answered is on record once, and the log is proven', async (nth, when) => {
    const [dir, url] = [tempDir(), await createDatabase()]
    let count = 0
    const next = (): string | { after: string } | undefined => {
      count += 1
      if (count !== nth) return undefined
      return when === 'before' ? 'no connection' : { after: 'fate unknown' }
    }
    const config = { checkpoints: { records: 20 }, anchors: [{ file: join(dir, 'anchor.txt') }] }
    const gateway = await startGateway({ dir, url, stores: faulty(dir, { next }, url), config, clock: hasty })
    const answered: string[] = []
    for (let i = 0; i < 6; i++) {
      const x = createExchange()
      if ((await call(gateway, x)) === 'ok') answered.push(x.id)
      if (gateway.health?.status === 'failing') await gateway.healthIs('degraded')
    }
    expect(answered.length).toBeGreaterThanOrEqual(4)
    await gateway.stop()
    const rows = await run("SELECT type, call FROM mcpgw_audit.record WHERE type IN ('intent', 'outcome') ORDER BY seq", url)
    for (const id of answered) expect(rows.filter(row => row.call === id).map(row => row.type)).toEqual(['intent', 'outcome'])
    const proof = await runCommand(dir, 'audit verify', { checkpoint: join(dir, 'anchor.txt') }, { url })
    expect(proof).toMatchObject({ code: 0, out: expect.stringMatching(/^PROVEN /) as string })
  })
})

test('while the log fails calls are refused at once and health says why; it heals by itself', async () => {
  let broken = false
  const dir = tempDir()
  const stores = faulty(dir, { next: () => (broken ? 'no space left' : undefined) })
  const gateway = await startGateway({ dir, stores, clock: hasty })
  broken = true
  expect(await call(gateway, createExchange())).toBe('refused')
  expect(gateway.health).toEqual({ status: 'failing', why: expect.stringMatching(/^no space left; durability is "os"/) as string })
  let touched = false
  const verdict = await gateway.hooks.onSealed!(createExchange())
  await call(gateway, createExchange(), undefined, () => {
    touched = true
  })
  expect(verdict).toMatchObject({ kind: 'deny', code: 'not-recorded' })
  expect(touched).toBe(false)
  await gateway.hooks.onSettled!(createExchange(), { kind: 'denied', decision: refused })
  broken = false
  await gateway.healthIs('degraded')
  expect(await call(gateway, createExchange())).toBe('ok')
  const types = readBodies(dir).map(body => [body.type, body.late ?? false])
  expect(types).toEqual([
    ['stream.start', false],
    ['gateway.start', false],
    ['refusal', true],
    ['refusal', true],
    ['refusal', true],
    ['audit.recovered', false],
    ['intent', false],
    ['outcome', false],
  ])
})

test('an outcome that cannot be recorded: the reply says that the call was made', async () => {
  let broken = false
  const dir = tempDir()
  const gateway = await startGateway({
    dir,
    stores: faulty(dir, { next: () => (broken ? 'no' : undefined) }),
    clock: { ...realClock, after: () => () => {} },
  })
  const x = createExchange()
  await gateway.hooks.onSealed!(x)
  broken = true
  const verdict = await gateway.hooks.onResponse!(x, { kind: 'result', payload: x.args })
  expect(verdict).toMatchObject({ kind: 'deny', code: 'not-recorded', reason: expect.stringMatching(/was made/) as string })
})

test('an append that hangs counts as failed at the deadline', async () => {
  const dir = tempDir()
  const stores = createStores({ dataDir: dir })
  let hang = false
  const hanging: Stores = {
    ...stores,
    async writer(path, options) {
      const writer = await stores.writer(path, options)
      return { ...writer, append: rows => (hang ? new Promise(() => {}) : writer.append(rows)) }
    },
  }
  const gateway = await startGateway({ dir, stores: hanging, config: { deadline: 20 } })
  hang = true
  expect(await gateway.hooks.onSealed!(createExchange())).toMatchObject({ kind: 'deny', detail: 'not durable within 20 ms' })
  hang = false
  await gateway.healthIs('degraded')
  expect(await call(gateway, createExchange())).toBe('ok')
  expect(await verdictOf(gateway)).toMatch(/^CONSISTENT/)
})

test('degrade: calls go through, and what was missed is written late, once', async () => {
  let broken = false
  const dir = tempDir()
  const gateway = await startGateway({
    dir,
    stores: faulty(dir, { next: () => (broken ? { after: 'unknown' } : undefined) }),
    config: { onAuditFailure: 'degrade' },
    clock: hasty,
  })
  broken = true
  expect(await call(gateway, createExchange())).toBe('ok')
  expect(await call(gateway, createExchange())).toBe('ok')
  broken = false
  await gateway.healthIs('degraded')
  const calls = readBodies(dir).filter(body => body.callId !== undefined)
  expect(calls.map(body => body.type)).toEqual(expect.arrayContaining(['intent', 'intent', 'outcome', 'outcome']))
  expect(new Set(calls.map(body => `${body.type} ${body.callId}`)).size).toBe(4)
  expect(calls).toHaveLength(4)
  expect(await verdictOf(gateway)).toMatch(/^CONSISTENT/)
})

test('acknowledged records that vanish are never papered over', async () => {
  let fail = false
  const dir = tempDir()
  const gateway = await startGateway({ dir, stores: faulty(dir, { next: () => (fail ? 'no' : undefined) }), clock: hasty })
  await call(gateway, createExchange())
  const db = createStores({ dataDir: dir }).open('audit.db')
  db.exec('DELETE FROM record WHERE seq > 4')
  db.close()
  fail = true
  await call(gateway, createExchange())
  fail = false
  await expect.poll(() => gateway.health?.why).toMatch(/records? 5 .*of stream .* acknowledged and .*missing/)
  expect(await call(gateway, createExchange())).toBe('refused')
})

const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' }

describe('starting', () => {
  test('a log that cannot be written stops the start', async () => {
    const dir = tempDir()
    await expect(startGateway({ dir, stores: faulty(dir, { next: () => 'read-only' }) })).rejects.toThrow(/read-only/)
    createStores({ dataDir: dir }).open('newer.db').exec('PRAGMA user_version = 99')
    await expect(startGateway({ dir, config: { path: 'newer.db' } })).rejects.toMatchObject({ code: 'store-newer' })
  })

  test('calls that a killed boot left open are closed as unknown, in one new stream that continues the old one', async () => {
    const dir = tempDir()
    const first = await startGateway({ dir })
    const x = createExchange({ resource: { kind: 'call', server: 'files', version: '2.0.0', tool: 'read' }, trace: TRACE })
    await first.hooks.onSealed!(x)
    await call(first, createExchange())
    // A killed process drops its lock and writes nothing more.
    for (const name of readdirSync(dir)) if (name.includes('-live-')) rmSync(join(dir, name))
    const second = await startGateway({ dir })
    const bodies = readBodies(dir)
    const start = bodies.findIndex(body => body.stream !== bodies[0]?.stream)
    expect(bodies[start]).toMatchObject({ type: 'stream.start', seq: 1, detail: { closedCalls: 1, after: { seq: start + 1 } } })
    expect(bodies[start + 1]).toMatchObject({
      type: 'outcome',
      callId: x.id,
      tool: 'read',
      version: '2.0.0',
      ...TRACE,
      actor: { id: 'agent-1' },
      outcome: 'unknown',
      errorCode: 'gateway-restart',
    })
    expect(second.logged.join()).toContain('no outcome')
    const third = await startGateway({ dir })
    expect(readBodies(dir).filter(body => body.outcome === 'unknown')).toHaveLength(1)
    await second.stop()
    await third.stop()
  })

  test('a gateway that still runs on the same log keeps its open calls', async () => {
    const dir = tempDir()
    const first = await startGateway({ dir })
    const x = createExchange()
    await first.hooks.onSealed!(x)
    const second = await startGateway({ dir })
    expect(readBodies(dir).some(body => body.outcome === 'unknown')).toBe(false)
    await first.hooks.onResponse!(x, { kind: 'result', payload: x.args })
    await call(second, createExchange())
    await first.stop()
    expect(await verdictOf(second)).toMatch(/^CONSISTENT, completeness not proven: \d+ records in 2 streams, \d+ checkpoints of its own\n/)
  })

  test.each(['sqlite', 'postgres'])('many that begin one log at once: one begins it, the others continue it (%s)', async kind => {
    if (kind === 'postgres' && server === undefined) return
    const dir = tempDir()
    const url = kind === 'postgres' ? await createDatabase() : undefined
    const gateways = await Promise.all(Array.from({ length: 5 }, () => startGateway({ dir, url })))
    for (const gateway of gateways) await call(gateway, createExchange())
    for (const gateway of gateways) await gateway.stop()
    const ran = await runCommand(dir, 'audit verify', {}, { url })
    expect(ran).toMatchObject({ code: 4, out: expect.stringContaining('in 5 streams') as string })
    expect(gateways.flatMap(gateway => gateway.logged).join()).not.toContain('cannot be written')
  })

  test('stopping in an orderly way leaves nothing to close and no lock', async () => {
    const gateway = await startGateway()
    await call(gateway, createExchange())
    await gateway.stop()
    expect(readdirSync(gateway.dir).sort()).toEqual(['audit.db', 'audit.db.key', 'audit.db.signing-key', 'audit.db.verifier'])
  })
})
