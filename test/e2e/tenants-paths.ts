// Every way in which somebody can learn something of the gateway: what a client may ask, what is served over HTTP, what commands show.

/** Whether a request names something, and how: that is where one tenant could name what is another's. */
export type Names = 'nothing' | 'tool' | 'prompt' | 'uri' | 'ref' | 'task' | 'cursor' | 'filter'

/** Requests of clients. */
export const METHODS: Readonly<Record<string, Names>> = {
  initialize: 'nothing',
  ping: 'nothing',
  'server/discover': 'nothing',
  'logging/setLevel': 'nothing',
  'tools/list': 'cursor',
  'resources/list': 'cursor',
  'resources/templates/list': 'cursor',
  'prompts/list': 'cursor',
  'tools/call': 'tool',
  'prompts/get': 'prompt',
  'resources/read': 'uri',
  'resources/subscribe': 'uri',
  'resources/unsubscribe': 'uri',
  'subscriptions/listen': 'filter',
  'completion/complete': 'ref',
  'tasks/list': 'nothing',
  'tasks/get': 'task',
  'tasks/result': 'task',
  'tasks/cancel': 'task',
  'tasks/update': 'task',
}

/** What servers ask of a client, and what is only told: a client learns of them on its streams, all of which are read. */
export const TOLD: readonly string[] = [
  'sampling/createMessage',
  'elicitation/create',
  'roots/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/message',
  'notifications/resources/updated',
  'notifications/resources/list_changed',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/roots/list_changed',
  'notifications/elicitation/complete',
  'notifications/subscriptions/acknowledged',
  'notifications/tasks',
]

/** `mcp`: by its methods, or as plain HTTP. `all`: for everybody, and equal for all. `machine`: of all tenants, for this machine alone. `visit`: known to whoever was sent there. */
export const ROUTES: Readonly<Record<string, 'mcp' | 'all' | 'machine' | 'visit'>> = {
  '/mcp': 'mcp',
  '/mcp/': 'mcp',
  '/healthz': 'machine',
  '/readyz': 'machine',
  '/metrics': 'machine',
  '/.well-known/': 'all',
  '/openapi.json': 'all',
  '/tools': 'mcp',
  '/credentials/start': 'visit',
  '/credentials/callback': 'visit',
}

/** What the input of an operation names. */
export type Input =
  | 'nothing'
  | 'text'
  | 'tool'
  | 'server'
  | 'about'
  | 'entry'
  | 'records'
  | 'calls'
  | 'usage'
  | 'keys'
  | 'wish'
  | 'key'
  | 'requests'
  | 'request'
  | 'kill'

/** The gateway's own operations and those of plugins, each a tool of its server `gateway` and mostly a route. `slow`: takes a process, so that it is asked by its route alone. */
export const OPERATIONS: Readonly<Record<string, { readonly route?: string; readonly names: Input; readonly slow?: true }>> = {
  list_tools: { route: 'GET /gateway/tools', names: 'text' },
  call: { names: 'tool' },
  list_servers: { route: 'GET /servers', names: 'about' },
  server_status: { route: 'GET /servers/{server}', names: 'server' },
  servers_register: { route: 'POST /servers', names: 'entry' },
  servers_update: { route: 'PUT /servers/{server}', names: 'server' },
  servers_remove: { route: 'DELETE /servers/{server}', names: 'server' },
  servers_restart: { route: 'POST /servers/{server}/restart', names: 'server' },
  audit_log: { route: 'GET /audit/log', names: 'records', slow: true },
  audit_stats: { route: 'GET /audit/stats', names: 'calls', slow: true },
  audit_verify: { route: 'GET /audit/verify', names: 'nothing', slow: true },
  usage: { route: 'GET /usage', names: 'usage', slow: true },
  keys_list: { route: 'GET /keys', names: 'keys' },
  keys_create: { route: 'POST /keys', names: 'wish' },
  keys_rotate: { route: 'POST /keys/{id}/rotate', names: 'key' },
  keys_revoke: { route: 'DELETE /keys/{id}', names: 'key' },
  kills_list: { route: 'GET /kills', names: 'nothing' },
  kills_set: { route: 'POST /kills', names: 'kill' },
  kills_lift: { route: 'DELETE /kills/{kind}/{name}', names: 'kill' },
  policies: { route: 'GET /policies', names: 'nothing' },
  policy_check: { route: 'POST /policies/check', names: 'nothing' },
  policy_explain: { route: 'POST /policies/explain', names: 'nothing' },
  stripe_status: { route: 'GET /stripe', names: 'nothing', slow: true },
  approvals_list: { route: 'GET /approvals', names: 'requests' },
  approvals_approve: { route: 'POST /approvals/{id}/approve', names: 'request' },
  approvals_reject: { route: 'POST /approvals/{id}/reject', names: 'request' },
}

/** Documents below `/.well-known/`. */
export const DOCUMENTS: readonly string[] = ['oauth-protected-resource']

/**
 * `tenant`: shows what callers are or did, of one tenant where `--tenant` names it. `change`: `--tenant` says whose something is to be changed.
 * `owner`: is for whoever owns the store or the config, all of it. `apart`: shows nothing of callers.
 */
export const COMMANDS: Readonly<Record<string, 'tenant' | 'change' | 'owner' | 'apart'>> = {
  'audit log': 'tenant',
  'audit stats': 'tenant',
  'audit export': 'tenant',
  'audit report': 'tenant',
  'audit prove': 'tenant',
  'privacy export': 'tenant',
  'keys list': 'tenant',
  'approvals list': 'tenant',
  'credentials list': 'tenant',
  kill: 'tenant',
  usage: 'tenant',
  'audit hold add': 'change',
  'privacy erase': 'change',
  'keys create': 'change',
  'credentials revoke': 'change',
  'audit verify': 'owner',
  'audit prune': 'owner',
  'audit hold list': 'owner',
  'audit hold remove': 'owner',
  'audit exports': 'owner',
  'audit drill': 'owner',
  'approvals approve': 'owner',
  'approvals reject': 'owner',
  'keys rotate': 'owner',
  'keys import': 'owner',
  'keys revoke': 'owner',
  'stripe status': 'owner',
  'stripe outbox': 'owner',
  'stripe reconcile': 'owner',
  'stripe resolve': 'owner',
  'servers list': 'owner',
  'servers status': 'owner',
  'servers add': 'change',
  'servers update': 'change',
  'servers remove': 'owner',
  'servers restart': 'owner',
  'tools list': 'owner',
  'tools call': 'owner',
  'config show': 'owner',
  'plugins list': 'owner',
  'plugins order': 'owner',
  'policy check': 'owner',
  'policy test': 'owner',
  'policy eval': 'owner',
  'policy explain': 'owner',
  'catalog lock': 'owner',
  'catalog diff': 'owner',
  doctor: 'owner',
  run: 'apart',
  demo: 'apart',
  import: 'apart',
  connect: 'apart',
  completion: 'apart',
  init: 'apart',
  migrate: 'apart',
  explain: 'apart',
  'audit key': 'apart',
  'config schema': 'apart',
  'policy fmt': 'apart',
  'policy import': 'apart',
}
