// The MCP methods of the sessionful revisions, and what each asks of the gateway.

/** Newest first. Spec: basic/lifecycle, version negotiation. */
export const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const
export const LATEST_LEGACY: string = LEGACY_VERSIONS[0]

export function isLegacyVersion(version: string): boolean {
  return (LEGACY_VERSIONS as readonly string[]).includes(version)
}

/** The version to answer `initialize` with: the one asked for where we speak it, else our newest. */
export function negotiate(asked: string | undefined): string {
  return asked !== undefined && isLegacyVersion(asked) ? asked : LATEST_LEGACY
}

/** Which list a `.../list` method merges; `field` is the member of the result that holds the items. */
export interface ListKind {
  readonly of: 'tools' | 'resources' | 'templates' | 'prompts'
  readonly method: string
  readonly field: string
  /** Member of an item that names it. */
  readonly nameKey: 'name' | 'uri' | 'uriTemplate'
  /** Server capability without which the list is not asked for. */
  readonly capability: 'tools' | 'resources' | 'prompts'
  readonly changed: string
}

export const LISTS: readonly ListKind[] = [
  { of: 'tools', method: 'tools/list', field: 'tools', nameKey: 'name', capability: 'tools', changed: 'notifications/tools/list_changed' },
  {
    of: 'resources',
    method: 'resources/list',
    field: 'resources',
    nameKey: 'uri',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
  },
  {
    of: 'templates',
    method: 'resources/templates/list',
    field: 'resourceTemplates',
    nameKey: 'uriTemplate',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
  },
  {
    of: 'prompts',
    method: 'prompts/list',
    field: 'prompts',
    nameKey: 'name',
    capability: 'prompts',
    changed: 'notifications/prompts/list_changed',
  },
]

const listByMethod = new Map(LISTS.map(list => [list.method, list]))
export function listOf(method: string): ListKind | undefined {
  return listByMethod.get(method)
}

/** What a notification of a server says has changed: a list, or what is in a resource. */
export function changedOf(method: string): ListKind['capability'] {
  return LISTS.find(list => list.changed === method)?.capability ?? 'resources'
}

/** Spec: server/utilities/logging, RFC 5424 severities, least severe first. */
export const LOG_LEVELS: readonly string[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

const OTHER_METHODS = [
  'initialize',
  'ping',
  'logging/setLevel',
  'completion/complete',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tools/call',
]

/** Requests a server may make of a client, and the client capability that each needs. */
const TO_CLIENT = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
])

/** All requests of all revisions, from either side. */
export const METHODS: readonly string[] = [...LISTS.map(list => list.method), ...OTHER_METHODS, ...TO_CLIENT.keys()]

export function clientCapabilityFor(method: string): string | undefined {
  return TO_CLIENT.get(method)
}
