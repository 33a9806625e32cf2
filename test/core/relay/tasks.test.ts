// Tasks of a call (2025-11-25): asked about at the server that holds them, by the principal they belong to, and by nobody else.
import { expect, test } from 'vitest'
import { connectHttp } from '../data-plane/clients.ts'
import { authenticating, startTestGateway } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

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
