// What every part of the relay works with.
import type { GatewayConfig } from '../config/schema.ts'
import type { Authorizations } from '../credentials/authorizations.ts'
import type { Callers } from '../credentials/callers.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Clock, Log } from '../plugin/index.ts'
import type { LanePool } from '../upstream/pool.ts'
import type { Handles } from './handles.ts'
import type { SessionStore } from './sessions.ts'
import type { Views } from './view.ts'

export interface RelayDeps {
  readonly config: Pick<GatewayConfig, 'names' | 'refusals' | 'limits'>
  readonly version: string
  readonly pipeline: Pipeline
  readonly pool: LanePool
  readonly sessions: SessionStore
  readonly handles: Handles
  /** Told of whom requests are; undefined where nobody wants to know. */
  readonly callers: Callers | undefined
  /** Undefined where no server is shown credentials that users give. */
  readonly authorizations: Pick<Authorizations, 'invite'> | undefined
  readonly views: Views
  /** Whether this is a tool of the gateway itself whose answer is a secret. */
  isSecret(server: string, tool: string): boolean
  readonly clock: Clock
  readonly log: Log
  newId(now: number): string
}
