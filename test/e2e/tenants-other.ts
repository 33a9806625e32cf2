// What the other tenant asks, by every way there is and by the names and handles of the first one; and all that it gets for it.
import fc from 'fast-check'
import { type Streaming, send } from '../core/data-plane/clients.ts'
import { visitHttp } from '../core/data-plane/stateless-client.ts'
import { bearer, common, type Held, initializeAs } from './tenants-first.ts'
import { DOCUMENTS, METHODS, type Names as Naming, ROUTES } from './tenants-paths.ts'
import type { Names, World } from './tenants-world.ts'

/** The first tenant, as the other one imagines it: its names, and what one of its clients holds. In a text `{server}`, `{session}` and so on stand for them. */
export type Known = Names & Held

const TAIL = [
  'look',
  'few',
  'limited',
  'dear',
  'forbidden',
  '{canary}-own-{canary}_only',
  'wiki_only',
  'nothing',
  'ask',
  '{canary}-own-{canary}_ask',
]
const tool = fc
  .tuple(fc.constantFrom('{server}__', 'vault__', 'docs__', 'wiki__', 'nobody__', ''), fc.constantFrom(...TAIL))
  .map(parts => parts.join(''))
const uri = fc.constantFrom(
  'x:1',
  'x:{canary}',
  '{canary}-own-{canary}:1',
  '{canary}-many:7',
  'vault:1',
  'docs:7',
  'mcpgw-server:{server}/x:1',
  'mcpgw-server:wiki/x:1',
  'y:{canary}',
)
const args = fc.constantFrom({}, { about: '{canary}' }, { stop: true })
const text = fc.constantFrom('', 'a', '{canary}')

const PARAMS: Readonly<Record<Naming, fc.Arbitrary<object>>> = {
  nothing: fc.constantFrom({}, { level: 'debug' }),
  tool: fc.oneof(
    fc.record({ name: tool, arguments: args }),
    fc.record({ name: tool, arguments: args, task: fc.constant({ ttl: 60_000 }) }),
    fc.record({ name: tool, arguments: args, requestState: fc.constant('{state}') }),
    fc.record({ name: tool, arguments: args, _meta: fc.constant({ progressToken: 'progress-{canary}' }) }),
  ),
  prompt: fc.record({ name: tool, arguments: args }),
  uri: fc.record({ uri }),
  ref: fc.record({
    ref: fc.oneof(fc.record({ type: fc.constant('ref/prompt'), name: tool }), fc.record({ type: fc.constant('ref/resource'), uri })),
    argument: fc.record({ name: fc.constant('n'), value: text }),
  }),
  task: fc.record({ taskId: fc.constantFrom('{task}', 'wiki-0-plans-{canary}', 'made-up') }),
  cursor: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant({ cursor: '{cursor}' }) }),
  filter: fc.record({
    notifications: fc.record({ toolsListChanged: fc.boolean(), resourceSubscriptions: fc.array(uri, { maxLength: 3 }) }),
  }),
}
const path = fc.constantFrom('/mcp', '/mcp/vault', '/mcp/docs', '/mcp/wiki', '/mcp/{server}', '/mcp/nobody')
const request = (method: string) =>
  fc.record({
    kind: fc.constantFrom('session' as const, 'visit' as const),
    path,
    method: fc.constant(method),
    params: PARAMS[METHODS[method]!],
  })
/** By the session of somebody else. */
const stolen = fc.record({
  kind: fc.constant('stolen' as const),
  path,
  method: fc.constantFrom('POST', 'GET', 'DELETE'),
  session: fc.constantFrom('{session}', 'made-up'),
  more: fc.constantFrom({}, { 'last-event-id': '{event}' }, { 'mcp-protocol-version': '1999-01-01' }, { accept: 'application/json' }),
  body: fc.constantFrom(
    '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    'no JSON',
  ),
})
const places = [
  ...Object.keys(ROUTES).filter(place => ROUTES[place] !== 'mcp' && !place.endsWith('/')),
  ...DOCUMENTS.flatMap(name => [`/.well-known/${name}`, `/.well-known/${name}/mcp/{server}`]),
]
const page = fc.record({
  kind: fc.constant('page' as const),
  path: fc.constantFrom(...places, '/', '/{server}'),
  query: fc.constantFrom('', '?request={session}', '?state={state}&code=1'),
  signed: fc.boolean(),
})

/** Every method, every route, and some more of each in any order. */
export const asks = fc
  .tuple(
    fc.tuple(...Object.keys(METHODS).map(request)),
    fc.tuple(...places.map(place => page.map(one => ({ ...one, path: place })))),
    fc.array(fc.oneof(...Object.keys(METHODS).map(request), page), { maxLength: 10 }),
    fc.array(stolen, { minLength: 6, maxLength: 10 }),
  )
  .chain(([methods, pages, more, others]) => {
    const all = [...methods, ...pages, ...more, ...others]
    return fc.shuffledSubarray(all, { minLength: all.length })
  })
export type Ask = typeof asks extends fc.Arbitrary<infer T> ? (T extends readonly (infer One)[] ? One : never) : never

/** With what is known in place of what stands for it. */
export function fill<T>(value: T, known: Known): T {
  const written = JSON.stringify(value).replace(
    /\{(canary|server|tenant|agent|session|event|task|cursor|state)\}/g,
    (_, name) => known[name as keyof Known],
  )
  return JSON.parse(written) as T
}

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
  for (const place of ['/mcp', '/mcp/vault', '/mcp/docs', '/mcp/wiki', `/mcp/${known.server}`, '/mcp/nobody']) {
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
    close: () => streams.forEach(one => void one.drop()),
  }
}

const NEW_EACH_TIME = new Set(['date', 'content-length', 'mcp-session-id', 'connection', 'keep-alive', 'transfer-encoding'])

function seen(headers: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEW_EACH_TIME.has(name)))
}

/** Without what is another with each request, or sealed by a key of this gateway; a time to wait in steps of ten minutes. */
function plain(got: string): string {
  return got
    .replace(/(\\*"(?:callId|taskId|nextCursor|requestState)\\*":\\*")[^"\\]*/g, '$1')
    .replace(/^(id: )\S+$/gm, '$1')
    .replace(/(retryAfter\\*":|retry-after":")(\d+)/g, (_, name: string, seconds: string) => name + Math.round(Number(seconds) / 600) * 600)
}
