// The state that a client sends with its next request: which call it goes on with, and for whom. Sealed, so nobody makes or changes one.
// Spec: 2026-07-28 basic/patterns/mrtr, "Server Requirements": bound to the principal and the request, and not for ever.
import { createHash } from 'node:crypto'
import { versionName } from '../config/places.ts'
import type { Session } from '../downstream/session.ts'
import { Json } from '../mcp/json.ts'
import { ExactNumber, type JsonObject, type JsonValue } from '../plugin/index.ts'
import type { Handles } from './handles.ts'

/** What the next request goes on with: a call that waits here, or one that its server has put into its own state. */
export type Round =
  | { readonly kind: 'parked'; readonly park: string; readonly round: number }
  /** `given`: JSON texts of what plugins have answered in the client's place. */
  | { readonly kind: 'again'; readonly state: string | undefined; readonly given: JsonObject }

export interface AboutRound {
  readonly session: Pick<Session, 'view' | 'owner'>
  readonly server: string
  /** Of the server, where it has any: no other goes on with what this one began. */
  readonly version?: string | undefined
  readonly method: string
  /** As the client sent them. */
  readonly params: Json
}

const ROUND_MS = 60 * 60_000

export function sealRound(handles: Handles, about: AboutRound, round: Round): string {
  const content: JsonValue = { ...plain(round), server: holderOf(about), method: about.method, digest: digestOf(about.params) }
  return handles.seal('round', scopeOf(about), content, ROUND_MS)
}

/** Undefined where it is not a state of this request, or is too old. */
export function openRound(handles: Handles, about: AboutRound, state: Json): Round | undefined {
  const content = state.type === 'string' ? handles.open('round', scopeOf(about), state.value as string) : undefined
  if (content === undefined) return undefined
  const { server, method, digest, ...round } = content as unknown as Round & { server: string; method: string; digest: string }
  return server === holderOf(about) && method === about.method && digest === digestOf(about.params) ? (round as Round) : undefined
}

function plain(round: Round): JsonObject {
  if (round.kind === 'parked') return { kind: round.kind, park: round.park, round: round.round }
  return { kind: round.kind, given: round.given, ...(round.state !== undefined && { state: round.state }) }
}

function holderOf({ server: id, version }: AboutRound): string {
  return versionName({ id, version })
}

function scopeOf({ session: { view, owner } }: AboutRound): string {
  return [view.only ?? '', owner].join('\0')
}

/** Of what makes the request what it is; in whatever order its members are written. */
function digestOf(params: Json): string {
  const rest = params.with({ _meta: undefined, requestState: undefined, inputResponses: undefined }).value
  return createHash('sha256')
    .update(Json.of(sorted(rest)).bytes)
    .digest('base64url')
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  const out: Record<string, JsonValue> = Object.create(null)
  for (const key of Object.keys(value).toSorted()) out[key] = sorted((value as JsonObject)[key]!)
  return out
}
