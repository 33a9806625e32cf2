// Tasks of a call, of 2025-11-25 and of the extension: asked about at the server that holds them, by the principal they belong to, and by nobody else.
import { expect, test } from 'vitest'
import { connectHttp } from '../data-plane/clients.ts'
import { authenticating, startTestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()

/** Every call becomes a task with this server's next id; its list has two pages, and a task of somebody else. */
async function holder(name: string, ids: readonly string[]): Promise<HttpUpstream> {
  const left = [...ids]
  const upstream = await startHttpUpstream({
    capabilities: '{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}',
    on: {
      'tools/call': received => received.result(`{"task":{"taskId":"${left.shift()}","status":"working","ttl":1.0}}`),
      'tasks/get': received => received.result(`{"by":"${name}","taskId":"${received.message.params.taskId}"}`),
      'tasks/result': received => received.result(`{"by":"${name}","content":[]}`),
      'tasks/list': received =>
        received.message.params.cursor === undefined
          ? received.result(`{"tasks":[{"taskId":"${ids[0]}","ttl":1.0}],"nextCursor":"more"}`)
          : received.result(`{"tasks":[{"taskId":"of-somebody-else"},{"taskId":"${ids[1]}"}]}`),
    },
  })
  opened(upstream)
  return upstream
}

test('a task is followed at its own server among several, and listed with all others of the caller', async () => {
  const [a, b] = [await holder('a', ['a-1', 'a-2']), await holder('b', ['b-1', 'a-1'])]
  const gateway = await startTestGateway({ servers: [a.server('a'), b.server('b')] })
  opened(gateway)
  const client = await connectHttp(gateway)
  for (const name of ['a__echo', 'b__echo', 'b__echo']) await client.ask('tools/call', { name, task: { ttl: 1000 } })
  expect((await client.ask('tasks/get', { taskId: 'b-1' })).result).toEqual({ by: 'b', taskId: 'b-1' })
  // The second server gave an id that the first one had given: it takes over nothing.
  expect((await client.ask('tasks/result', { taskId: 'a-1' })).result.by).toBe('a')
  expect((await client.ask('tasks/get', { taskId: 'a-2' })).error.code).toBe(-32602)
  expect((await client.ask('tasks/get', {})).error.code).toBe(-32602)
  expect((await client.ask('tasks/list')).result.tasks).toEqual([
    { taskId: 'a-1', ttl: 1 },
    { taskId: 'b-1', ttl: 1 },
  ])
})

test.each(['/mcp', '/mcp/up'])('on %s a task of one principal does not exist for another, even where both share the server', async path => {
  const upstream = await holder('up', ['t-1', 't-2'])
  const gateway = await startTestGateway({ servers: [upstream.server('up', { shared: true })], plugins: [authenticating] })
  opened(gateway)
  const [ann, bob] = [
    await connectHttp(gateway, { path, headers: { authorization: 'ann' } }),
    await connectHttp(gateway, { path, headers: { authorization: 'bob' } }),
  ]
  await ann.ask('tools/call', { name: path === '/mcp' ? 'up__echo' : 'echo', task: {} })
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
    expect((await bob.ask(method, { taskId: 't-1' })).error.code).toBe(-32602)
  }
  expect((await bob.ask('tasks/list')).result.tasks).toEqual([])
  expect((await ann.ask('tasks/list')).result.tasks).toEqual([{ taskId: 't-1', ttl: 1 }])
  expect(upstream.of('tasks/get')).toEqual([])
})

const EXTENSION = '"extensions":{"io.modelcontextprotocol/tasks":{}}'
const DECLARED = `{${EXTENSION}}`
const MODERN_SERVER = { protocol: 'modern' } as const

/** By the extension the server alone decides that a call becomes a task. */
async function statelessHolder(name: string): Promise<HttpUpstream> {
  const upstream = await startHttpUpstream({
    modern: `{"tools":{},${EXTENSION}}`,
    on: {
      'tools/call': received => received.result(`{"resultType":"task","taskId":"${name}-1","status":"working","ttlMs":60000}`),
      'tasks/get': received => received.result(`{"resultType":"complete","taskId":"${name}-1","status":"working","ttlMs":60000}`),
      'tasks/update': received => received.result(`{"resultType":"complete"}`),
      'tasks/cancel': received => received.result(`{"resultType":"complete"}`),
    },
  })
  opened(upstream)
  return upstream
}

test('a task of the extension is asked about, answered and cancelled at the server that made it', async () => {
  const [a, b] = [await statelessHolder('a'), await statelessHolder('b')]
  const gateway = opened(await startTestGateway({ servers: [a.server('a', MODERN_SERVER), b.server('b', MODERN_SERVER)] }))
  const client = visitHttp(gateway, { capabilities: DECLARED })
  expect((await client.ask('server/discover')).result.capabilities).toMatchObject(JSON.parse(DECLARED))
  for (const name of ['a__echo', 'b__echo']) {
    expect((await client.ask('tools/call', { name })).result).toMatchObject({ resultType: 'task', taskId: `${name[0]}-1` })
  }
  expect((await client.ask('tasks/get', { taskId: 'b-1' })).result).toMatchObject({ taskId: 'b-1', status: 'working' })
  const inputResponses = { k: { action: 'accept', content: { n: 1 } } }
  expect((await client.ask('tasks/update', { taskId: 'a-1', inputResponses })).result).toEqual({ resultType: 'complete' })
  expect((await client.ask('tasks/cancel', { taskId: 'b-1' })).result).toEqual({ resultType: 'complete' })
  expect(a.of('tasks/update')[0]!.message.params).toMatchObject({ taskId: 'a-1', inputResponses })
  expect([a.of('tasks/cancel').length, b.of('tasks/cancel').length]).toEqual([0, 1])
  expect((await client.ask('tasks/get', { taskId: 'made-up' })).error.code).toBe(-32602)
})

test('a task of the extension does not exist for another principal, nor without the extension', async () => {
  const upstream = await statelessHolder('up')
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', MODERN_SERVER)], plugins: [authenticating] }))
  const of = (name: string, capabilities = DECLARED) => visitHttp(gateway, { capabilities, headers: { authorization: name } })
  await of('ann').ask('tools/call', { name: 'up__echo' })
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    expect((await of('bob').ask(method, { taskId: 'up-1' })).error.code).toBe(-32602)
    const { status, error } = await of('ann', '{}').ask(method, { taskId: 'up-1' })
    expect({ status, code: error.code }).toEqual({ status: 400, code: -32021 })
    expect(error.data.requiredCapabilities).toEqual(JSON.parse(DECLARED))
    expect(upstream.of(method)).toEqual([])
  }
  expect(await of('ann').ask('tasks/get', { taskId: 'up-1' })).toMatchObject({ result: { taskId: 'up-1' } })
})
