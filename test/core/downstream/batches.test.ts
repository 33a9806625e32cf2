// Batches exist in revision 2025-03-26 alone: each element is a message of its own, and the answers go out together.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio, type HttpClient } from '../data-plane/clients.ts'
import { authenticating, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { leaveOpen } from '../data-plane/script.ts'

const ids = (text: string): unknown[] => JSON.parse(text).map((one: { id: unknown }) => one.id)

describe('a batch in revision 2025-03-26', () => {
  let upstream: HttpUpstream
  let gateway: TestGateway
  let client: HttpClient

  beforeAll(async () => {
    upstream = await startHttpUpstream()
    gateway = await startTestGateway({ servers: [upstream.server('up')], stdio: true })
    client = await connectHttp(gateway, { version: '2025-03-26' })
  })
  afterAll(async () => {
    await gateway.stop()
    await upstream.close()
  })

  it('is answered with one array of all answers, each under its own id', async () => {
    const answer = await client.post(`[${call(1, 'up__echo', '{"a":1}')},${call('1', 'up__echo', '{"a":2}')},${call(2, 'up__none')}]`)
    expect(answer.status).toBe(200)
    const answers = JSON.parse(answer.text)
    const echo = (id: unknown): unknown => answers.find((one: { id: unknown }) => one.id === id)
    expect(answers).toHaveLength(3)
    expect(echo(1)).toMatchObject({ result: { echo: { a: 1 } } })
    expect(echo('1')).toMatchObject({ result: { echo: { a: 2 } } })
    expect(echo(2)).toMatchObject({ error: { code: -32602 } })
  })

  it('answers what is no message among good ones, and runs the good ones', async () => {
    const answer = await client.post(`[1,${call(5, 'up__echo')},[],{"jsonrpc":"2.0","id":6,"method":"ping","Method":1}]`)
    expect(new Set(ids(answer.text))).toEqual(new Set([5, 6, null]))
    expect(ids(answer.text)).toHaveLength(4)
  })

  it('of notifications alone is taken without an answer', async () => {
    const answer = await client.post('[{"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":77,"result":{}}]')
    expect([answer.status, answer.text]).toEqual([202, ''])
  })

  it('of more than 1,000 messages is refused as a whole', async () => {
    const before = upstream.of('tools/call').length
    const answer = await client.post(`[${`${call(1, 'up__echo')},`.repeat(1000)}${call(2, 'up__echo')}]`)
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([400, -32600])
    expect(upstream.of('tools/call').length).toBe(before)
  })

  it('comes back as one line over standard streams', async () => {
    const stdio = await connectStdio(gateway, { version: '2025-03-26' })
    stdio.write(`[${call(1, 'up__echo')},{"jsonrpc":"2.0","id":2,"method":"ping"}]`)
    const answers = await stdio.find(Array.isArray)
    expect(answers.map((one: { id: number }) => one.id).sort()).toEqual([1, 2])
  })
})

it('a batch of another principal does nothing in a session: it cancels, answers and calls nothing', async () => {
  const upstream = await startHttpUpstream({ on: { 'tools/call': leaveOpen } })
  const gateway = await startTestGateway({ servers: [upstream.server('up')], plugins: [authenticating] })
  const alice = await connectHttp(gateway, { version: '2025-03-26', headers: { authorization: 'alice' } })
  const slow = alice.post(call('slow', 'up__echo'))
  const received = await upstream.next('tools/call')
  const bobs = `[{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow"}},${call(2, 'up__echo')}]`
  const refused = await alice.post(bobs, { authorization: 'bob' })
  expect([refused.status, JSON.parse(refused.text).error.data.mcpgw.code]).toEqual([404, 'session-unknown'])
  received.result('{"content":[],"whole":true}')
  expect(JSON.parse((await slow).text).result.whole).toBe(true)
  await until(() => gateway.gateway.pool.size > 0)
  expect(upstream.of('tools/call')).toHaveLength(1)
  expect(upstream.of('notifications/cancelled')).toEqual([])
  await gateway.stop()
  await upstream.close()
})
