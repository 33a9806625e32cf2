// Who asks for the other tenant: all that it gets for it, on the answer and on the streams that it has open.
import { type Streaming, send } from '../core/data-plane/clients.ts'
import { visitHttp } from '../core/data-plane/stateless-client.ts'
import { type Ask, fill, type Known } from './tenants-asks.ts'
import { bearer, common, initializeAs } from './tenants-first.ts'
import { ROUTES } from './tenants-paths.ts'
import type { World } from './tenants-world.ts'

export interface Other {
  /** All that comes of it. */
  ask(one: Ask): Promise<string>
  /** What came on the streams that stayed open. */
  heard(): string
  close(): void
}

export async function enterOther(world: World, known: Known): Promise<Other> {
  const own = { ...common, ...bearer(world.keys.other) }
  const sessions = new Map<string, string>()
  const streams: Streaming[] = []
  const greetings: string[] = []
  for (const place of ['/mcp', '/mcp/vault', '/mcp/docs', '/mcp/wiki', '/mcp/gateway', `/mcp/${known.server}`, '/mcp/nobody']) {
    const greeted = await (await send(world, 'POST', place, initializeAs('other'), own)).done
    greetings.push(`${greeted.status} ${greeted.text}`)
    const session = greeted.headers['mcp-session-id']
    if (typeof session !== 'string') continue
    sessions.set(place, session)
    streams.push(await send(world, 'GET', place, undefined, { ...own, 'mcp-session-id': session }))
  }
  const inSession = (place: string): Record<string, string> => {
    const session = sessions.get(place)
    return { ...own, ...(session !== undefined && { 'mcp-session-id': session }) }
  }

  async function whole(streaming: Streaming): Promise<string> {
    const { status, headers, text: body } = await streaming.done
    return `${status} ${JSON.stringify(seen(headers))} ${body}`
  }

  async function ask(given: Ask): Promise<string> {
    const one = fill(given, known)
    switch (one.kind) {
      case 'page': {
        const from = { 'x-forwarded-for': '203.0.113.9', ...(one.signed && bearer(world.keys.other)) }
        const got = await whole(await send(world, 'GET', one.path + one.query, undefined, from))
        // One word for the whole gateway, for whoever watches it.
        return ROUTES[one.path] === 'machine' ? got.replace(/"(ok|degraded|failing)"/, '"status"') : got
      }
      case 'plain': {
        const place = one.query === '' ? one.path : `${one.path}?${one.query}`
        return whole(await send(world, one.method, place, one.method === 'GET' || one.body === '' ? undefined : one.body, own))
      }
      case 'stolen': {
        const headers = { ...own, 'mcp-session-id': one.session, ...one.more }
        return whole(await send(world, one.method, one.path, one.method === 'POST' ? one.body : undefined, headers))
      }
      case 'session': {
        const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: one.method, params: one.params })
        return whole(await send(world, 'POST', one.path, body, inSession(one.path)))
      }
      case 'visit': {
        const client = visitHttp(world, {
          path: one.path,
          headers: bearer(world.keys.other),
          capabilities: '{"extensions":{"io.modelcontextprotocol/tasks":{}}}',
        })
        const streaming = await client.start(one.method, one.params as Record<string, unknown>, { id: 7 })
        if (one.method !== 'subscriptions/listen' || streaming.status !== 200) return whole(streaming)
        streams.push(streaming)
        const first = await streaming.next()
        return `${streaming.status} ${JSON.stringify(first)}`
      }
    }
  }

  return {
    async ask(one) {
      return plain(await ask(one))
    },
    heard: () =>
      [...greetings, ...streams.map(one => one.messages.filter(message => !message.includes('/list_changed')).join('\n'))]
        .map(plain)
        .join('\n---\n'),
    close: () =>
      streams.forEach(({ drop }) => {
        drop()
      }),
  }
}

const NEW_EACH_TIME = new Set(['date', 'content-length', 'mcp-session-id', 'connection', 'keep-alive', 'transfer-encoding'])

function seen(headers: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEW_EACH_TIME.has(name)))
}

/** Without what is another with each request, sealed by a key of this gateway, or said of a server that both share; a time to wait in steps of ten minutes. */
function plain(got: string): string {
  return got
    .replace(/(\\*"(?:callId|taskId|nextCursor|requestState|next|call|eventId|subject|keyId|(?:args|result)Digest)\\*":\\*")[^"\\]*/g, '$1')
    .replace(/(\\*"(?:since|underWay|waiting|at|resultBytes|durationMs|upstreamMs|p50|p95|p99)\\*":)[\d.]+/g, '$1')
    .replace(/(\\*"(?:id|next|key)\\*":\\*")[a-z0-9]{8}(?=\\*")/g, '$1')
    .replace(/mgk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}/g, 'key')
    .replace(/(\\*"(?:createdAt|expiresAt|lastUsed|at)\\*":)(?:null|\\*"[^"\\]*\\*")/g, '$1')
    .replace(/^(id: )\S+$/gm, '$1')
    .replace(/(retryAfter\\*":|retry-after":")(\d+)/g, (_, name: string, seconds: string) => name + Math.round(Number(seconds) / 600) * 600)
}
