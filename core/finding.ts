// What keeps the gateway from starting, as data: which plugin, what is wrong with it, and what would mend it.
import type { SourcePosition } from './config/schema.ts'

export type FindingCode =
  | 'plugin-not-found'
  | 'plugin-broken'
  | 'plugin-shape'
  | 'plugin-config'
  | 'plugin-twice'
  | 'plugin-order'
  | 'plugin-setup'
  | 'service-missing'
  | 'service-twice'
  | 'obligation-twice'
  | 'failure-open'
  | 'listen-open'
  | 'server-unreachable'
  | 'telemetry-unmasked'
  | 'listen-failed'
  | 'listen-tls'
  | 'kill-store'
  | 'registration-store'
  | 'server-registered'
  | 'needs-restart'
  | 'not-recorded'

export interface Finding {
  readonly code: FindingCode
  readonly message: string
  readonly plugin?: string | undefined
  readonly help?: string | undefined
  /** Where the plugin stands in the config. */
  readonly at?: SourcePosition | undefined
  /** Into the plugin's own config; of `listen-tls` into `listen.tls`, of `server-unreachable`, `server-registered`, `needs-restart` and `telemetry-unmasked` into the config. */
  readonly path?: readonly (string | number)[] | undefined
}

/** What each code means, for `mcpgw explain CODE`. */
export const findingCodes: Readonly<Record<FindingCode, string>> = {
  'plugin-not-found':
    'No built-in plugin, file or installed package of this name. Plugins are never downloaded: install the package yourself.',
  'plugin-broken': 'The file of the plugin was found but could not be loaded; the message says what it threw.',
  'plugin-shape': 'The default export of the file is not a plugin of this API version.',
  'plugin-config': 'The config does not fit the schema of the plugin.',
  'plugin-twice': 'A plugin stands twice in the order. Each stands once.',
  'plugin-order': 'In this order a plugin would act too early or too late. The gateway never sorts: put them in the order named.',
  'plugin-setup':
    'The plugin could not be set up or started, and what was set up before it has been released; or its config does not go together with servers that would come or go, and they stay as they are.',
  'service-missing': 'A plugin requires a service that no loaded plugin provides.',
  'service-twice': 'Two plugins provide the same service.',
  'obligation-twice': 'Two plugins discharge the same obligation; which of them should, is not for the gateway to guess.',
  'failure-open': 'Only a plugin without capabilities and obligations may fail open: a failure of any other would let something through.',
  'listen-failed': 'The address or port of `listen` cannot be used; `mcpgw doctor` looks at it more closely.',
  'listen-tls':
    'A file of `listen.tls` cannot be used: the certificate, its key, which nobody else may read, or the authorities of clients.',
  'needs-restart':
    'Of a config that changes only the servers are taken while the gateway runs. With any other change it is not taken at all, and the one in force stays.',
  'not-recorded': 'A change that cannot be put on record is not made.',
  'server-unreachable': '`tenants` of a server names whose principals may know of it, and no loaded plugin says who anybody is.',
  'kill-store':
    'What operators have killed (`mcpgw kill`) cannot be read, from `kills.db` in the data directory or the schema `mcpgw_kill` of `store.url`; so what may run is not known.',
  'registration-store':
    'The servers that were registered while gateways run (`registration`) cannot be read, from `servers.db` in the data directory or the schema `mcpgw_server` of `store.url`; so what there is to serve is not known.',
  'server-registered':
    'A config that is taken again has a server whose id was registered while gateways run. Remove that one (`mcpgw servers remove ID`), or choose another id.',
  'telemetry-unmasked':
    '`telemetry.content` shows arguments and results to whoever reads traces, and no loaded plugin masks what is personal or secret in them.',
  'listen-open': 'Beyond loopback the gateway listens only with a plugin that authenticates and one that decides.',
}
