// A client, a gateway and a remote server that answers its calls as a test wants them answered.
import { call, connectHttp, type HttpClient } from '../../data-plane/clients.ts'
import { startTestGateway, type TestGateway } from '../../data-plane/gateway.ts'
import { type HttpReceived, type HttpUpstream, type HttpUpstreamOptions, startHttpUpstream } from '../../data-plane/http-upstream.ts'
import type { closeAfterEach } from '../../data-plane/opened.ts'

export interface Setting {
  readonly upstream: HttpUpstream
  readonly gateway: TestGateway
  readonly client: HttpClient
}

export async function startSetting(
  opened: ReturnType<typeof closeAfterEach>,
  options: HttpUpstreamOptions = {},
  maxBytes?: number,
): Promise<Setting> {
  const upstream = opened(await startHttpUpstream(options))
  const timeout = { startMs: 10_000, callMs: 15_000, idleMs: 0 }
  const limits = maxBytes === undefined ? {} : { limits: { messageBytes: maxBytes } }
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { timeout })], ...limits }))
  const client = await connectHttp(gateway)
  await client.ask('tools/list')
  return { upstream, gateway, client }
}

export const good = (id: string | undefined): string => `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"good":true}}`

/** Calls a tool that answers as `respond` does; the message that the client gets. */
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
export async function ask({ upstream, client }: Setting, respond: (received: HttpReceived) => void): Promise<any> {
  upstream.handlers.set('tools/call', received => respond(received as HttpReceived))
  const { messages } = await client.post(call(1, 'up__echo'))
  return JSON.parse(messages.at(-1)!)
}
