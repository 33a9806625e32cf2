// What a client must bring: plugins say it, and it stands in the head of the answer.
import { expect, it } from 'vitest'
import { deny, pass } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()
const challenge = 'Bearer resource_metadata="https://gw.example/.well-known/oauth-protected-resource/mcp", scope="mcp"'

/** Whoever has no `x-pass` is refused as the header says. */
async function world(code: string, more: { challenge?: string; retryAfter?: number }) {
  const upstream = opened(await startHttpUpstream())
  const gate = plugin('gate', [], {
    onRequest: ({ peer, direction }) => (direction === 'to-client' || peer.header('x-pass').length > 0 ? pass : deny(code, 'no', more)),
  })
  return opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [gate] }))
}

it.each([
  ['unauthenticated', 401],
  ['insufficient-scope', 403],
] as const)('%s: in the head of the %i, for clients of both eras, for requests and for streams', async (code, status) => {
  const gateway = await world(code, { challenge })
  const session = await connectHttp(gateway, { headers: { 'x-pass': '1' } })
  const stranger = { 'mcp-session-id': session.sessionId, 'x-pass': '' }
  const { 'x-pass': _, ...without } = stranger
  const visit = await visitHttp(gateway).start('tools/list')
  const refused = await visit.done
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([status, challenge])
  const plain = visitHttp(gateway, { headers: without })
  const ended = await plain.post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'mcp-protocol-version': '2025-11-25' })
  expect([ended.status, ended.headers['www-authenticate']]).toEqual([status, challenge])
})

it('a 401 has one also where the plugin says none, and a refusal of a call has none', async () => {
  const refused = await (await visitHttp(await world('unauthenticated', {})).start('tools/list')).done
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer realm="mcpgw"'])
  const denied = await (await visitHttp(await world('denied', { challenge })).start('tools/list')).done
  expect([denied.status, denied.headers['www-authenticate']]).toEqual([200, undefined])
})

it('a challenge with a line break in it is no verdict', async () => {
  const refused = await (await visitHttp(await world('unauthenticated', { challenge: 'a\r\nset-cookie: b' })).start('tools/list')).done
  expect([refused.headers['set-cookie'], refused.text.includes('42012')]).toEqual([undefined, true])
})
