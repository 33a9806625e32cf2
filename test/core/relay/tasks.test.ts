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
  const made: string[] = []
  for (const name of ['a__echo', 'b__echo', 'b__echo'])
    made.push((await client.ask('tools/call', { name, task: { ttl: 1000 } })).result.task.taskId)
  const [ofA, ofB, twin] = made as [string, string, string]
  expect((await client.ask('tasks/get', { taskId: ofB })).result).toEqual({ by: 'b', taskId: ofB })
  // The second server gave an id that the first one had given: each is followed where it is.
  expect((await client.ask('tasks/result', { taskId: ofA })).result.by).toBe('a')
  expect((await client.ask('tasks/result', { taskId: twin })).result.by).toBe('b')
  expect([a.of('tasks/result'), b.of('tasks/result')].map(seen => seen.map(one => one.message.params.taskId))).toEqual([['a-1'], ['a-1']])
  for (const taskId of ['a-1', 'made-up', `${ofA}A`, '']) expect((await client.ask('tasks/get', { taskId })).error.code).toBe(-32602)
  expect((await client.ask('tasks/get', {})).error.code).toBe(-32602)
  expect((await client.ask('tasks/list')).result.tasks).toEqual([{ taskId: ofA, ttl: 1 }, { taskId: ofB, ttl: 1 }, { taskId: twin }])
  // On its own endpoint a server's task is the same, and another's is none.
  const alone = await connectHttp(gateway, { path: '/mcp/a' })
  expect((await alone.ask('tasks/get', { taskId: ofA })).result.by).toBe('a')
  expect((await alone.ask('tasks/get', { taskId: ofB })).error.code).toBe(-32602)
})

test.each(['/mcp', '/mcp/up'])('on %s a task of one principal does not exist for another, even where both share the server', async path => {
  const upstream = await holder('up', ['t-1', 't-2'])
  const gateway = await startTestGateway({ servers: [upstream.server('up', { shared: true })], plugins: [authenticating] })
  opened(gateway)
  const [ann, bob] = [
    await connectHttp(gateway, { path, headers: { authorization: 'ann' } }),
    await connectHttp(gateway, { path, headers: { authorization: 'bob' } }),
  ]
  const { taskId } = (await ann.ask('tools/call', { name: path === '/mcp' ? 'up__echo' : 'echo', task: {} })).result.task
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
    for (const id of [taskId, 't-1']) expect((await bob.ask(method, { taskId: id })).error.code).toBe(-32602)
  }
  expect((await bob.ask('tasks/list')).result.tasks).toEqual([])
  expect((await ann.ask('tasks/list')).result.tasks).toEqual([{ taskId, ttl: 1 }])
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
  const ids: string[] = []
  for (const name of ['a__echo', 'b__echo']) {
    const { result } = await client.ask('tools/call', { name })
    expect(result.resultType).toBe('task')
    ids.push(result.taskId)
  }
  const [ofA, ofB] = ids as [string, string]
  expect((await client.ask('tasks/get', { taskId: ofB })).result).toMatchObject({ taskId: ofB, status: 'working' })
  const inputResponses = { k: { action: 'accept', content: { n: 1 } } }
  expect((await client.ask('tasks/update', { taskId: ofA, inputResponses })).result).toEqual({ resultType: 'complete' })
  expect((await client.ask('tasks/cancel', { taskId: ofB })).result).toEqual({ resultType: 'complete' })
  expect(a.of('tasks/update')[0]!.message.params).toMatchObject({ taskId: 'a-1', inputResponses })
  expect([a.of('tasks/cancel').length, b.of('tasks/cancel').length]).toEqual([0, 1])
  expect((await client.ask('tasks/get', { taskId: 'made-up' })).error.code).toBe(-32602)
})

test('a task of the extension does not exist for another principal, nor without the extension', async () => {
  const upstream = await statelessHolder('up')
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', MODERN_SERVER)], plugins: [authenticating] }))
  const of = (name: string, capabilities = DECLARED) => visitHttp(gateway, { capabilities, headers: { authorization: name } })
  const { taskId } = (await of('ann').ask('tools/call', { name: 'up__echo' })).result
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    expect((await of('bob').ask(method, { taskId })).error.code).toBe(-32602)
    const { status, error } = await of('ann', '{}').ask(method, { taskId })
    expect({ status, code: error.code }).toEqual({ status: 400, code: -32021 })
    expect(error.data.requiredCapabilities).toEqual(JSON.parse(DECLARED))
    expect(upstream.of(method)).toEqual([])
  }
  expect(await of('ann').ask('tasks/get', { taskId })).toMatchObject({ result: { taskId } })
})

test('what servers and clients say of a task names it as the other side knows it', async () => {
  const related = (taskId: string) => ({ 'io.modelcontextprotocol/related-task': { taskId } })
  const upstream = opened(
    await startHttpUpstream({
      capabilities: '{"tools":{},"tasks":{"requests":{"tools":{"call":{}}}}}',
      on: {
        'tools/call': received => received.result('{"task":{"taskId":"t-1","status":"working"}}'),
        'tasks/result': received => {
          received.say(
            JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tasks/status', params: { taskId: 't-1', status: 'working' } }),
          )
          received.say(JSON.stringify({ jsonrpc: '2.0', id: 'q', method: 'roots/list', params: { _meta: related('t-1') } }))
          void upstream.next('').then(() => received.result(JSON.stringify({ content: [], _meta: related('t-1') })))
        },
      },
    }),
  )
  const client = await connectHttp(opened(await startTestGateway({ servers: [upstream.server('up')] })), { capabilities: '{"roots":{}}' })
  const { taskId } = (await client.ask('tools/call', { name: 'up__echo', task: {} })).result.task
  expect(taskId).not.toBe('t-1')
  const stream = await client.start(JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tasks/result', params: { taskId } }))
  expect((await stream.next()).params).toEqual({ taskId, status: 'working' })
  const question = await stream.next()
  expect(question.params._meta).toEqual(related(taskId))
  await client.post(JSON.stringify({ jsonrpc: '2.0', id: question.id, result: { roots: [], _meta: related(taskId) } }))
  expect((await stream.next()).result._meta).toEqual(related(taskId))
  expect(upstream.seen.find(one => one.method === '')!.message.result._meta).toEqual(related('t-1'))
})
