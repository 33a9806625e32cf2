// What a caller may not see answers as what does not exist, whatever it is; and a request about a task is one about the call that made it.
import { expect, test } from 'vitest'
import { deny, type Exchange, narrow, pass } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Handler } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()
const list =
  (json: string): Handler =>
  received =>
    received.result(json)

/** Everything with `secret` in its name is denied to everybody, and hidden. */
const hiding = plugin('hide', ['narrows-list'], {
  onRequest: ({ resource }) => (JSON.stringify(resource).includes('secret') ? deny('denied', 'not for you') : pass),
  onList: (_, items) => narrow(items.map(item => !item.name.includes('secret'))),
})

async function upstream() {
  return opened(
    await startHttpUpstream({
      capabilities: '{"tools":{},"resources":{},"prompts":{},"completions":{}}',
      tools: ['{"name":"open","inputSchema":{"type":"object"}}', '{"name":"secret","inputSchema":{"type":"object"}}'],
      on: {
        'prompts/list': list('{"prompts":[{"name":"secret"},{"name":"open"}]}'),
        'resources/list': list('{"resources":[{"uri":"mem://secret","name":"s"},{"uri":"mem://open","name":"o"}]}'),
        'resources/templates/list': list('{"resourceTemplates":[]}'),
        'completion/complete': list('{"completion":{"values":[]}}'),
      },
    }),
  )
}

test.each([
  ['tools/call', (name: string) => ({ name })],
  ['prompts/get', (name: string) => ({ name })],
  ['resources/read', (name: string) => ({ uri: `mem://${name}` })],
  ['resources/subscribe', (name: string) => ({ uri: `mem://${name}` })],
  ['completion/complete', (name: string) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } })],
])('%s of what is hidden and of what does not exist are one error', async (method, params) => {
  const server = await upstream()
  const gateway = opened(await startTestGateway({ servers: [server.server('up')], plugins: [authenticating, hiding] }))
  const client = await connectHttp(gateway, { path: '/mcp/up', headers: { authorization: 'ann' } })
  const shown = async (name: string) => {
    const { error } = await client.ask(method, params(name))
    return { ...error, data: { ...error.data, mcpgw: { ...error.data.mcpgw, callId: '' } } }
  }
  const [hidden, absent] = [await shown('secret'), await shown('secret-too')]
  expect(hidden).toEqual(absent)
  expect(hidden.data.mcpgw.code).toMatch(/^unknown-/)
  expect(server.of(method)).toEqual([])
})

test('a stateless client that mirrors a hidden tool wrongly learns no more than of one that does not exist', async () => {
  const server = await upstream()
  const gateway = opened(await startTestGateway({ servers: [server.server('up')], plugins: [authenticating, hiding] }))
  const client = visitHttp(gateway, { path: '/mcp/up', headers: { authorization: 'ann' } })
  const { error } = await client.ask('tools/call', { name: 'secret' })
  expect(error.data.mcpgw.code).toBe('unknown-tool')
})

test('a request about a task is decided as the call that made it, with the arguments of that call', async () => {
  const server = opened(
    await startHttpUpstream({
      capabilities: '{"tools":{},"tasks":{"requests":{"tools":{"call":{}}}}}',
      on: {
        'tools/call': list('{"task":{"taskId":"t-1","status":"working"}}'),
        'tasks/get': list('{"taskId":"t-1","status":"working"}'),
      },
    }),
  )
  const seen: Exchange['resource'][] = []
  let mayEcho = true
  const deciding = plugin('decide', ['decides'], {
    onRequest({ resource }) {
      seen.push(resource)
      if (resource.kind !== 'call') return pass
      return mayEcho ? { kind: 'allow', rules: [], obligations: [] } : deny('denied', 'no more')
    },
  })
  const gateway = opened(await startTestGateway({ servers: [server.server('up')], plugins: [authenticating, deciding] }))
  const client = await connectHttp(gateway, { headers: { authorization: 'ann' } })
  const { taskId } = (await client.ask('tools/call', { name: 'up__echo', arguments: { a: 1 }, task: {} })).result.task
  expect((await client.ask('tasks/get', { taskId })).result.status).toBe('working')
  const asked = seen.at(-1)!
  expect(asked).toMatchObject({ kind: 'call', server: 'up', tool: 'echo' })
  expect(asked.kind === 'call' && asked.task?.args.text).toBe('{"a":1}')
  mayEcho = false
  expect((await client.ask('tasks/get', { taskId })).error.data.mcpgw.code).toBe('denied')
  expect(server.of('tasks/get').length).toBe(1)
})
