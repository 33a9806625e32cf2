// A lane with its lists and its users, for whom it is, and the key by which the pool finds it.
import { versionName } from '../config/places.ts'
import type { ServerConfig } from '../config/schema.ts'
import type { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import type { Ask } from './calls.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import type { Lane } from './lane.ts'
import type { Listings } from './listing.ts'

/** Whoever uses a lane: gets what the server says outside of any call. */
export interface LaneUser {
  readonly principalId: string
  /** What it asked for, where it did. */
  logLevel(): string | undefined
  notified(lane: Lane, method: string, params: Json | undefined): void
  asked(lane: Lane, ask: Ask): Promise<Answer>
  /** A new session with the server began: what was told to the last one must be told again. */
  opened(berth: Berth): void
  /** True while this user waits for something from the server outside of calls, e.g. a subscription. */
  holds(server: string): boolean
}

/** For whom a lane is wanted. */
export interface Binding {
  /** Who it is for, with the tenant: state is never shared between principals. */
  readonly principalId: string
  /** Set where the client declares capabilities: the server may ask this client, so it gets a lane of its own. */
  readonly session: { readonly id: string; readonly client: LaneClient } | undefined
}

/** A lane with its lists and its users. */
export interface Berth {
  readonly lane: Lane
  readonly lists: Listings
  readonly users: Set<LaneUser>
  readonly key: string
  /** The last agreement of this lane; it stays known while the lane is not open. */
  agreed: Agreement | undefined
  /** Whose it has been so far: of more than one, two are enough to know. */
  readonly owners: Set<string>
  /** The server is not there any more, or another one is: only what is under way ends here. */
  isRetired: boolean
}

export function keyOf(server: ServerConfig, binding: Binding): string {
  return server.shared ? ownLane(server, '') : ownLane(server, binding.principalId) + (binding.session?.id ?? '')
}

/** The key of the lane of an owner that no session has for itself. */
export function ownLane(server: Pick<ServerConfig, 'id' | 'version'>, owner: string): string {
  return `${versionName(server)}\0${owner}\0`
}

/** To any version of this server, in the name of this owner. */
export function isOf({ key, lane }: Pick<Berth, 'key' | 'lane'>, server: string, owner: string): boolean {
  return lane.server.id === server && key.startsWith(ownLane(lane.server, owner))
}
