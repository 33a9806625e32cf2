// What every part of the relay works with.
import type { GatewayConfig } from '../config/schema.ts'
import type { Credentials } from '../credentials/credentials.ts'
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
  readonly credentials: Pick<Credentials, 'callers' | 'authorizations'>
  readonly views: Views
  /** Whether this is a tool of the gateway itself whose answer is a secret. */
  isSecret(server: string, tool: string): boolean
  readonly clock: Clock
  readonly log: Log
  newId(now: number): string
}
