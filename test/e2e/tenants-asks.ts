// What the other tenant may ask: by every way there is, by its own names and by those of the first one.
import fc from 'fast-check'
import type { Held } from './tenants-first.ts'
import { DOCUMENTS, type Input, METHODS, type Names as Naming, OPERATIONS, ROUTES } from './tenants-paths.ts'
import type { Names } from './tenants-world.ts'

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

const INPUTS = {
  nothing: fc.constant({}),
  text: fc.constantFrom({}, { text: '{canary}' }, { text: 'look', limit: 3 }),
  tool: fc.record({ tool, arguments: args }),
  server: fc.record({ server: fc.constantFrom('{server}', 'vault', 'docs', 'wiki', 'nobody') }),
  about: fc.constantFrom({}, { tag: 'of-{canary}' }, { owner: '{canary}' }, { tag: 'all' }),
  entry: fc.record({ id: fc.constantFrom('{server}', 'new', 'wiki'), url: fc.constant('https://public.example/mcp') }),
  // Refusals are written down after they are answered.
  records: fc.constantFrom(
    { type: 'outcome', limit: 200 },
    { type: 'outcome', contents: true },
    { type: 'key.create', all: true },
    { consumer: '{agent}' },
    { consumer: 'agent', type: 'outcome', after: 'start' },
    { server: '{server}', all: true },
    { tool: '{canary}-own-{canary}_only' },
    { tenant: '{tenant}' },
    { after: '{cursor}' },
  ),
  calls: fc.constantFrom(
    { status: 'answered' },
    { consumer: '{agent}' },
    { consumer: 'agent', status: 'answered' },
    { tenant: '{tenant}' },
  ),
  usage: fc.constantFrom(
    {},
    { by: 'server' },
    { by: 'tenant' },
    { consumer: '{agent}' },
    { consumer: 'agent', period: 'today' },
    { tenant: '{tenant}' },
  ),
  // Each key of the other tenant is as the next one: in each world they are shown in another order.
  keys: fc.constantFrom({}, { limit: 1 }, { tenant: '{tenant}' }, { after: '0' }),
  wish: fc.constantFrom(
    { name: 'of globex', principal: 'agent', roles: ['reader'] },
    { name: 'x', principal: '{agent}', tenant: '{tenant}' },
    { name: 'x', principal: 'agent', roles: ['admin'] },
  ),
  key: fc.record({ id: fc.constantFrom('{key}', 'aaaaaaaa', '{agent}') }),
  kill: fc.constantFrom({ kind: 'tenant', name: '{tenant}' }, { kind: 'server', name: '{server}' }, { kind: 'key', name: '{key}' }),
  requests: fc.constantFrom({}, { all: true }, { tenant: '{tenant}' }),
  request: fc.constantFrom({ id: '{request}' }, { id: 'apr_0123456789abcdef', because: '{canary}' }),
} satisfies Readonly<Record<Input, fc.Arbitrary<object>>>
/** As a tool of the aggregated endpoint, of the server's own, and as a route. */
const operation = (name: string) => {
  const { route, names, slow } = OPERATIONS[name]!
  const inputs: fc.Arbitrary<object> = INPUTS[names]
  const asTool = (path: string, shown: string) =>
    fc.record({
      kind: fc.constantFrom('session' as const, 'visit' as const),
      path: fc.constant(path),
      method: fc.constant('tools/call'),
      params: fc.record({ name: fc.constant(shown), arguments: inputs }),
    })
  if (slow === true && route !== undefined) return [inputs.map(input => plainOf(route, input))]
  const ways = [asTool('/mcp', `gateway__${name}`), asTool('/mcp/gateway', name)]
  return route === undefined ? ways : [...ways, inputs.map(input => plainOf(route, input))]
}
/** A route with its input in the path and the query. */
function plainOf(route: string, input: object) {
  const [method = '', path = ''] = route.split(' ')
  const rest: Record<string, unknown> = {}
  let filled = path
  for (const [key, value] of Object.entries(input)) {
    if (filled.includes(`{${key}}`)) filled = filled.replace(`{${key}}`, String(value))
    else rest[key] = value
  }
  if (method === 'POST') return { kind: 'plain' as const, method, path: filled, query: '', body: JSON.stringify(rest) }
  const query = new URLSearchParams(Object.entries(rest).map(([key, value]): [string, string] => [key, String(value)]))
  return { kind: 'plain' as const, method, path: filled, query: decodeURIComponent(query.toString()), body: '' }
}
const byName = fc.record({
  kind: fc.constant('plain' as const),
  method: fc.constantFrom('POST', 'GET'),
  path: tool.map(name => `/tools/${name}/call`),
  query: fc.constant(''),
  body: fc.constantFrom('', '{"arguments":{"about":"{canary}"}}', '{"wrong":1}', 'no JSON'),
})
const listed = fc
  .constantFrom('', 'cursor={cursor}')
  .map(query => ({ kind: 'plain' as const, method: 'GET', path: '/tools', query, body: '' }))

/** Every method, every route, and some more of each in any order. */
export const asks = fc
  .tuple(
    fc.tuple(...Object.keys(METHODS).map(request)),
    fc.tuple(...places.map(place => page.map(one => ({ ...one, path: place })))),
    fc.array(fc.oneof(...Object.keys(METHODS).map(request), page), { maxLength: 10 }),
    fc.array(stolen, { minLength: 6, maxLength: 10 }),
    fc.tuple(...Object.keys(OPERATIONS).flatMap(operation), listed),
    fc.array(byName, { minLength: 3, maxLength: 6 }),
  )
  .chain(([methods, pages, more, others, operations, called]) => {
    const all = [...methods, ...pages, ...more, ...others, ...operations, ...called]
    return fc.shuffledSubarray(all, { minLength: all.length })
  })
export type Ask = typeof asks extends fc.Arbitrary<infer T> ? (T extends readonly (infer One)[] ? One : never) : never

/** With what is known in place of what stands for it. */
export function fill<T>(value: T, known: Known): T {
  const written = JSON.stringify(value).replace(
    /\{(canary|server|tenant|agent|session|event|task|cursor|state|key|request)\}/g,
    (_, name) => known[name as keyof Known],
  )
  return JSON.parse(written) as T
}
