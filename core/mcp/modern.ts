// The stateless revisions (2026-07-28 on): what they call things, and what each request says of its client.
import { Json } from './json.ts'

/** Newest first. Spec: basic/versioning. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28']
export const LATEST_MODERN: string = MODERN_VERSIONS[0]!

export type Era = 'legacy' | 'modern'

export function isModernVersion(version: string): boolean {
  return MODERN_VERSIONS.includes(version)
}

/** Reserved keys of `_meta`. Spec: basic/index, "_meta". */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  client: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscription: 'io.modelcontextprotocol/subscriptionId',
  server: 'io.modelcontextprotocol/serverInfo',
} as const

/** Errors by which a server shows that it is modern. Spec: basic/index, "Error Codes". */
export const MODERN_ERRORS = { headerMismatch: -32020, missingCapability: -32021, unsupportedVersion: -32022 } as const
const MODERN_ERROR_CODES: ReadonlySet<unknown> = new Set(Object.values(MODERN_ERRORS))

export function isModernError(error: Json): boolean {
  return MODERN_ERROR_CODES.has(error.get('code')?.value)
}

/** Which member of params `Mcp-Name` mirrors. Spec: basic/transports/streamable-http, "Standard Request Headers", and of tasks SEP-2663. */
export const NAMED_BY: ReadonlyMap<string, 'name' | 'uri' | 'taskId'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
] as const)

/** Requests that the older revisions have and these have not. Spec: changelog. */
export const LEGACY_REQUESTS: readonly string[] = [
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/list',
  'tasks/result',
]

/** The extension of tasks. Spec: SEP-2663. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** What a client says of itself with each request. */
export interface Envelope {
  readonly version: string
  readonly info: Json
  readonly capabilities: Json
  readonly logLevel?: string | undefined
}

const EMPTY = Json.of({})

/** Members of `_meta`, made once for a client and put into each of its requests. */
export interface EnvelopeMembers {
  readonly members: Readonly<Record<string, Json | undefined>>
  /** `_meta` with nothing else in it. */
  readonly alone: Json
}

export function envelopeMembers({ version, info, capabilities, logLevel }: Envelope): EnvelopeMembers {
  const members = {
    [META.version]: Json.of(version),
    [META.client]: info,
    [META.capabilities]: capabilities,
    [META.logLevel]: logLevel === undefined ? undefined : Json.of(logLevel),
  }
  return { members, alone: EMPTY.with(members) }
}

/** The params with the envelope in their `_meta`; whatever else stands there stays. */
export function withEnvelope(params: Json | undefined, { members, alone }: EnvelopeMembers): Json {
  const given = params ?? EMPTY
  return given.with({ _meta: given.object('_meta')?.with(members) ?? alone })
}

/** The params without the envelope, for a server of an older revision; without an empty `_meta` where nothing else stood there. */
export function withoutEnvelope(params: Json): Json {
  return withoutMeta(params, ENVELOPE_KEYS)
}

/** Without these members of `_meta`, and without a `_meta` that held nothing else. */
export function withoutMeta(params: Json, keys: readonly string[]): Json {
  const meta = params.object('_meta')
  if (meta === undefined || !keys.some(key => meta.get(key) !== undefined)) return params
  const rest = meta.with(Object.fromEntries(keys.map(key => [key, undefined])))
  return params.with({ _meta: rest.keys().length === 0 ? undefined : rest })
}

const ENVELOPE_KEYS: readonly string[] = [META.version, META.client, META.capabilities, META.logLevel]
