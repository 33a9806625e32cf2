// Too much to do, in the built product: new calls are refused at once over HTTP and standard streams and are on record, probes and health say so, what was under way is answered, and then all is as before.
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import type { Received } from '../core/data-plane/script.ts'
import { createFolder, isBuilt, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession, post, speakLines } from './rpc.ts'

const PENDING = 3

describe.skipIf(!isBuilt)('more than it can', () => {
  test('is refused and on record, until what is under way has become less', async () => {
    const held: Received[] = []
    const upstream = await startHttpUpstream({ on: { 'tools/call': call => void held.push(call) } })
    onTestFinished(() => upstream.close())
    const dir = createFolder()
    const config = { servers: [{ id: 'up', url: upstream.url }], plugins: ['audit'], limits: { overload: { pending: PENDING } } }
    const product = await startProduct({ dir, args: ['--stdio', '--http', '127.0.0.1:0'], config })
    const session = await openSession(product.origin)
    const lines = await speakLines(product)
    const statusOf = async (path: string): Promise<number> => (await fetch(`${product.origin}${path}`)).status

    const under = Array.from({ length: PENDING }, (_, i) => session.call('up__echo', { i }))
    const { components } = await untilHealth(product.origin, ({ status }) => status === 'failing')
    expect(components.find(({ name }) => name === 'overload')?.why).toBe('new calls are refused: 3 calls are under way or wait')
    expect([await statusOf('/readyz'), await statusOf('/healthz')]).toEqual([503, 200])

    const call = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"up__echo","arguments":{"late":true}}}'
    const refused = await post(product.origin, call, { headers: ['mcp-session-id', session.id] })
    expect([refused.status, refused.headers['retry-after'], codeOf(refused.messages[0])]).toEqual([503, '1', 'overloaded'])
    const onLines = await lines.ask('tools/call', { name: 'up__echo', arguments: { late: true } })
    expect(onLines.error.data.mcpgw).toEqual({ code: 'overloaded', retryAfter: 1 })
    for (const way of [session, lines]) expect((await way.ask('tools/list')).result.tools).toHaveLength(1)

    for (const [i, received] of held.entries()) received.result(`{"content":[],"i":${i}}`)
    expect((await Promise.all(under)).map(({ result }) => result.i).toSorted((a: number, b: number) => a - b)).toEqual([0, 1, 2])
    await untilHealth(product.origin, ({ status }) => status === 'ok')
    expect(await statusOf('/readyz')).toBe(200)
    const after = lines.ask('tools/call', { name: 'up__echo' })
    await expect.poll(() => held.length, { timeout: 15_000 }).toBe(PENDING + 1)
    held.at(-1)!.result('{"content":[]}')
    expect((await after).error).toBeUndefined()
    expect(await product.stop()).toEqual({ code: 0, signal: null })

    const denied = readRecords(dir).filter(({ decision }) => decision?.code === 'overloaded')
    expect(denied.map(({ transport, action, http }) => [transport, action, http?.status])).toEqual([
      ['http', 'tools/call', 503],
      ['stdio', 'tools/call', undefined],
    ])
  })
})
