// T30 and case 23: a key that is revoked while streams and calls are open under it ends them, on every instance that shares its store.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connectHttp, type Exchanged, type Streaming } from '../core/data-plane/clients.ts'
import { visitHttp } from '../core/data-plane/stateless-client.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { initialize, post } from './rpc.ts'
import { oddServer } from './servers.ts'

interface Opened {
  /** What a client of each era has open: its stream of notifications and a call that is never answered. */
  readonly all: readonly Promise<Exchanged>[]
  next(): Promise<(number | undefined)[]>
}

async function openAll(product: Product, key: string): Promise<Opened> {
  const gateway = { port: Number(new URL(product.origin).port) } as Parameters<typeof connectHttp>[0]
  const headers = { authorization: `Bearer ${key}` }
  const client = await connectHttp(gateway, { headers })
  const stream = await client.listen()
  const calling = client.start('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"odd__hang","arguments":{}}}')
  const visitor = visitHttp(gateway, { headers })
  const listening = await visitor.start('subscriptions/listen', { notifications: { toolsListChanged: true } })
  await listening.next()
  const visiting = visitor.start('tools/call', { name: 'odd__hang', arguments: {} })
  expect([stream.status, listening.status]).toEqual([200, 200])
  const ended = async (one: Promise<Streaming>): Promise<Exchanged> => (await one).done
  return {
    all: [stream.done, listening.done, ended(calling), ended(visiting)],
    next: async () => [
      // The session is gone, which is what the client is told before it has to open another.
      (await client.post('{"jsonrpc":"2.0","id":9,"method":"ping"}')).status,
      await client.listen().then(({ status }) => status),
      (await post(product.origin, initialize(), { headers: ['Authorization', headers.authorization] })).status,
      (await visitor.ask('tools/list')).status,
    ],
  }
}

const begun = (dir: string): number => readRecords(dir).filter(({ type, tool }) => type === 'intent' && tool === 'hang').length

describe.skipIf(!isBuilt)('a key that is revoked', () => {
  // The promise is one second: each instance looks twice a second. The test waits for what must happen, however busy the machine.
  test('ends the streams and calls that are open under it, here and on a second instance, and both have it on record', async () => {
    const dirs = [createFolder(), createFolder()]
    const [dir, second] = dirs as [string, string]
    const { id, key } = JSON.parse(runCli(['keys', 'create', 'An agent', 'agent-1', '--json'], dir).out) as { id: string; key: string }
    const shared = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
    const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', { auth: { keys: shared } }] }
    const products = await Promise.all(dirs.map(each => startProduct({ dir: each, config })))
    const opened = await Promise.all(products.map(product => openAll(product, key)))
    while (dirs.some(each => begun(each) < 2)) await new Promise(resolve => setTimeout(resolve, 50))

    expect(runCli(['keys', 'revoke', id], dir).code).toBe(0)
    for (const { all } of opened) for (const { messages } of await Promise.all(all)) expect(messages.join()).not.toContain('"content"')
    for (const { next } of opened) expect(await next()).toEqual([404, 404, 401, 401])

    for (const product of products) await product.stop()
    expect(readRecords(dir).filter(({ type }) => type === 'key.revoke')).toMatchObject([{ detail: { key: id } }])
    for (const each of dirs) {
      const ends = readRecords(each).filter(({ type }) => type === 'key.end')
      expect(ends.map(({ detail }) => [detail?.key, detail?.why])).toEqual(ends.map(() => [id, 'revoked']))
      const count = (what: 'sessions' | 'requests'): number => ends.reduce((sum, { detail }) => sum + Number(detail?.[what]), 0)
      expect(count('sessions')).toBe(1)
      expect(count('requests')).toBe(3)
    }
    expect(begun(second)).toBe(2)
  })
})
