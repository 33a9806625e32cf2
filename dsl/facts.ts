// The evaluator's whole input: one call, read, prompt or method, who makes it, and when.
import type { Action } from './ast.ts'
import type { Value } from './value.ts'

export interface Subject {
  readonly id: string
  readonly name?: string | undefined
  readonly roles: readonly string[]
  readonly tenant: string
  readonly claims: Value
}

export interface Facts {
  readonly principal: Subject
  readonly action: Action
  readonly server: string
  /** Tool, prompt or method name as the server calls it; a uri, normalised (RFC 3986), for `read`. */
  readonly name: string
  /** Of call and prompt; an empty Map where the request had none. Absent for read and method. */
  readonly args?: Value | undefined
  /** Of a call, where the catalog entry is pinned. */
  readonly annotations?: Value | undefined
  readonly request: { readonly time: Date; readonly ip?: string | undefined; readonly transport?: string | undefined }
  /** Clients with sessions only. */
  readonly session?: { readonly id: string; readonly calls: bigint } | undefined
  /** Absent: unknown, and `after` is an ERROR. */
  readonly history?: History | undefined
}

/** What the principal has done, counted from the seal. */
export interface History {
  /** When a matching exchange was last sealed, ms since 1970, at or after `since`; undefined where none. May throw where the store fails: an ERROR. */
  lastMatch(matcher: EventMatcher, since: number): number | undefined
}
export interface EventMatcher {
  readonly action: 'call' | 'read' | 'prompt'
  /** Whether this server and name (a normalised uri for read) are what the event means. */
  matches(server: string, name: string): boolean
  /** The event as written, e.g. `call vault/read_*`: equal texts match equal events. */
  readonly text: string
}
