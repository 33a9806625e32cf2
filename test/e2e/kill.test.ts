// The kill switch in the built product: what an operator kills ends at once, is refused and on record, on all gateways, and stays so until he lifts it.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDatabase, server as database } from '../postgres/server.ts'
import { openAll } from './opened.ts'
import { createFolder, isBuilt, type Product, runCli, serverIn, startProduct, untilHealth } from './product.ts'
import { readRecords, type ShownRecord } from './records.ts'
import { codeOf, initialize, openSession, post, speakLines } from './rpc.ts'
import { oddServer } from './servers.ts'

interface Made {
  readonly id: string
  readonly key: string
}
const createKey = (dir: string, principal: string, tenant: string): Made =>
  JSON.parse(runCli(['keys', 'create', principal, principal, '--tenant', tenant, '--json'], dir).out) as Made
const bearing = ({ key }: Made): string[] => ['Authorization', `Bearer ${key}`]

function kill(dir: string, ...words: string[]): string {
  const { code, out, err } = runCli(['kill', ...words], dir)
  expect(code, err).toBe(0)
  return out
}

/** The status of a session that is asked for anew, as soon as it is this. */
const untilStatus = (product: Product, made: Made, status: number): Promise<void> =>
  expect.poll(async () => (await post(product.origin, initialize(), { headers: bearing(made) })).status, { timeout: 15_000 }).toBe(status)

const codesOf = (records: readonly ShownRecord[]): unknown[] =>
  records.flatMap(({ decision }) => (decision?.outcome === 'deny' ? [decision.code] : []))

const untilBegun = (dir: string, calls: number): Promise<void> =>
  expect
    .poll(() => readRecords(dir).filter(({ type, tool }) => type === 'intent' && tool === 'hang').length, { timeout: 15_000 })
    .toBeGreaterThanOrEqual(calls)

describe.skipIf(!isBuilt)('what an operator kills', () => {
  // The promise is one second: each instance looks four times a second. The test waits for what must happen, however busy the machine.
  test.skipIf(database === undefined)(
    'ends on every gateway of one database: a tenant’s streams and calls, then a key’s; others go on; it outlives a restart until it is lifted',
    async () => {
      const url = await createDatabase()
      const [dir, second] = [createFolder(), createFolder()]
      const keys = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
      const [ann, eve] = [createKey(dir, 'ann', 'acme'), createKey(dir, 'eve', 'globex')]
      const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: [{ auth: { keys } }], store: { url } }
      const products = await Promise.all([dir, second].map(each => startProduct({ dir: each, config })))
      const others = await Promise.all(products.map(({ origin }) => openSession(origin, bearing(eve))))
      const opened = await Promise.all(products.map(product => openAll(product, ann.key)))

      kill(dir, '--tenant', 'acme', '--because', 'a key has leaked')
      for (const { all } of opened) for (const { messages } of await Promise.all(all)) expect(messages.join()).not.toContain('"content"')
      for (const { next } of opened) expect(await next()).toEqual([404, 404, 403, 403])
      for (const other of others) expect((await other.call('odd__echo', { n: 1 })).result.isError).toBeUndefined()
      expect(JSON.parse(kill(second, '--list', '--json'))).toMatchObject({
        kills: [{ kind: 'tenant', name: 'acme', because: 'a key has leaked' }],
      })

      await products[1]!.stop()
      const again = await startProduct({ dir: second, config })
      const refused = await post(again.origin, initialize(), { headers: bearing(ann) })
      expect([refused.status, codeOf(refused.messages[0])]).toEqual([403, 'killed'])
      expect(refused.text).not.toContain('leaked')

      kill(second, '--key', eve.id)
      kill(dir, '--lift', '--tenant', 'acme')
      for (const product of [products[0]!, again]) {
        await untilStatus(product, ann, 200)
        await untilStatus(product, eve, 403)
      }
    },
    120_000,
  )

  test('a server’s calls end, its processes are stopped and start no more, what is kept of it is not answered; it comes back when it is lifted', async () => {
    const dir = createFolder()
    const config = {
      servers: [
        { id: 'odd', ...oddServer() },
        { id: 'well', ...oddServer() },
      ],
      plugins: ['audit', { cache: { rules: [{ readOnlyTools: 'odd/echo', ttl: '1h' }] } }],
    }
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin)
    const kept = await session.call('odd__echo', { n: 1 })
    expect(codeOf(kept)).toBeUndefined()
    const { pids } = serverIn(await untilHealth(product.origin, health => serverIn(health, 'odd').pids.length === 1), 'odd')
    const hanging = session.call('odd__hang')
    await untilBegun(dir, 1)

    kill(dir, '--server', 'odd', '--because', 'it sends mail')
    expect(codeOf(await hanging)).toBe('killed')
    const shut = await untilHealth(product.origin, health => serverIn(health, 'odd').pids.length === 0)
    expect(existsSync(`/proc/${pids[0]}`)).toBe(false)
    expect(shut.components.find(({ name }) => name === 'server/odd')).toMatchObject({ status: 'degraded', why: /killed by an operator/ })
    for (const tool of ['odd__echo', 'odd__hang', 'odd__nothing']) expect(codeOf(await session.call(tool, { n: 1 }))).toBe('killed')
    const stranger = await openSession(product.origin)
    expect(codeOf(await stranger.call('odd__echo', { n: 1 }))).toBe('killed')
    expect(codeOf(await stranger.call('well__echo', { n: 1 }))).toBeUndefined()
    expect(JSON.stringify(await stranger.ask('tools/list'))).toContain('well__echo')
    expect(serverIn(await untilHealth(product.origin, () => true), 'odd').pids).toEqual([])

    kill(dir, '--lift', '--server', 'odd')
    await expect.poll(async () => codeOf(await session.call('odd__echo', { n: 2 })), { timeout: 15_000 }).toBeUndefined()
    const back = await untilHealth(product.origin, health => serverIn(health, 'odd').pids.length === 1)
    expect(serverIn(back, 'odd').pids).not.toEqual(pids)
    expect(serverIn(back, 'odd').restarts).toBe(0)
    await product.stop()

    const records = readRecords(dir)
    const acts = records.filter(({ type }) => type.startsWith('kill.'))
    expect(acts.map(({ type, detail }) => [type, detail])).toEqual([
      ['kill.set', { server: 'odd', because: 'it sends mail' }],
      ['kill.lifted', { server: 'odd' }],
    ])
    const refused = records.filter(({ decision }) => decision?.code === 'killed')
    expect(refused.slice(0, 3).map(({ tool }) => tool)).toEqual(['echo', 'hang', 'odd__nothing'])
    // Repeated ones are counted. The last were refused until the lift was heard of.
    expect(refused.reduce((sum, { count = 1 }) => sum + count, 0)).toBeGreaterThanOrEqual(4)
    expect(records.filter(({ type, tool }) => type === 'outcome' && tool === 'hang')).toMatchObject([{ errorCode: 'killed' }])
    expect(records.filter(({ type }) => type === 'server.exit').every(({ success }) => success !== false)).toBe(true)
  }, 120_000)

  test('a gateway on stdio hears of it, too', async () => {
    const dir = createFolder()
    const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit'] }
    const product = await startProduct({ dir, config, args: ['--stdio'] })
    const lines = await speakLines(product)
    const hanging = lines.ask('tools/call', { name: 'odd__hang', arguments: {} })
    await untilBegun(dir, 1)
    kill(dir, '--server', 'odd')
    expect(codeOf(await hanging)).toBe('killed')
    expect(codeOf(await lines.ask('tools/call', { name: 'odd__echo', arguments: {} }))).toBe('killed')
    await expect.poll(() => codesOf(readRecords(dir)), { timeout: 15_000 }).toEqual(['killed'])
  })

  test('is not forgotten where it cannot be read: the gateway does not start', () => {
    const dir = createFolder({ 'mcpgw.yaml': JSON.stringify({ servers: [], plugins: ['audit'] }) })
    kill(dir, '--tenant', 'acme')
    writeFileSync(join(dir, '.mcpgw', 'kills.db'), 'no database '.repeat(500))
    const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
    expect([code, err]).toEqual([2, expect.stringContaining('error[kill-store]')])
    expect(runCli(['kill', '--list'], dir)).toMatchObject({ code: 3, err: expect.stringContaining('kills.db') as string })
  })
})
