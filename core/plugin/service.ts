// Typed services: how plugins reach what another plugin provides, without knowing which one it is.
import type { JsonValue, Payload } from './json.ts'

/** A token; equal ids are the same service, also across two copies of this package. */
export interface Service<T> {
  readonly id: symbol
  readonly name: string
  /** Carries the type only; never set. */
  readonly type?: T
}

export function service<T>(name: string): Service<T> {
  return Object.freeze({ id: Symbol.for(`mcpgw.service.${name}`), name })
}

/** Masks personal data and secrets in whatever is about to be stored or shown. Provided by `redact`. */
export interface Masking {
  /** Masked text; the same string where nothing was found. Never throws; on doubt the text is withheld whole. */
  text(text: string): string
  /** The value with every string (keys included) masked; undefined where nothing was found, so that what is clean is never decoded. */
  value(payload: Payload): JsonValue | undefined
}
export const Masking: Service<Masking> = service<Masking>('masking')

/** Finds in texts what no pattern describes, e.g. names of people: usually a model, wherever it runs. */
export interface TextDetector {
  /** For the log. */
  readonly name: string
  /**
   * The findings in each of `texts`, in their order. A throw, a rejection, an answer that does not fit, or none within `deadline`:
   * the message is refused or withheld. `signal` aborts then.
   */
  detect(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly DetectedSpan[])[]>
  /** What becomes of a finding: all but the last four characters, a keyed token, its type, nothing of the text, or no message. `replace` by default. */
  readonly action?: 'mask' | 'token' | 'replace' | 'drop' | 'block'
  /** Findings with a lower score are left; 0 by default. */
  readonly minScore?: number
  /** Milliseconds for all texts of one message; 2000 by default. */
  readonly deadline?: number
}
export interface DetectedSpan {
  /** UTF-16 offsets, end exclusive. */
  readonly start: number
  readonly end: number
  /** What it is, e.g. `PERSON`: replaces the value, and is counted. */
  readonly type: string
  /** 0 to 1. */
  readonly score: number
}
/** Takes detectors for whatever is masked. Provided by `redact`; add yours in `setup`. */
export interface Detectors {
  add(detector: TextDetector): void
}
export const Detectors: Service<Detectors> = service<Detectors>('detectors')

/** Appends an administrative event to the record (key created, config reloaded, server restarted). Provided by `audit`. */
export interface Recording {
  /** Resolves once the record is durable in the configured mode; rejects where it cannot be. */
  event(event: AdminEvent): Promise<void>
}
export interface AdminEvent {
  /** Dotted name, e.g. `gateway.start`, `key.revoke`, `server.exit`. */
  readonly type: string
  /** The gateway itself where it is left out. */
  readonly actor?: string | Operator | undefined
  /** True where it is left out: false for what was tried and refused, or failed. */
  readonly success?: boolean
  readonly detail: Readonly<Record<string, JsonValue>>
  /** Whom it is about, where that is somebody else than the actor. `detail` says who that is, so it is sealed with a key of theirs, and goes with it. */
  readonly about?: { readonly tenant: string; readonly id: string; readonly detail: Readonly<Record<string, JsonValue>> } | undefined
}
/** Who acts on the gateway itself: a user of the operating system, or a caller who asks it by one of its own operations. */
export interface Operator {
  /** `cli:` and the name, or the user id where there is no name; of a caller the id of the principal. */
  readonly id: string
  readonly uid?: number
  /** Of a caller; empty where nobody says who callers are. A user of the operating system has none. */
  readonly tenant?: string
}
export const Recording: Service<Recording> = service<Recording>('recording')

/** Who may come, as far as the config tells. Provided by `auth`. */
export interface Directory {
  /** Roles and tenants of everybody who can be identified; undefined where they cannot all be known. */
  known(): { readonly roles: readonly string[]; readonly tenants: readonly string[] } | undefined
  /** Whether there is an API key of this id; undefined where that cannot be told now. */
  hasKey(id: string): boolean | undefined
}
export const Directory: Service<Directory> = service<Directory>('directory')

/** What decisions go by, as one text that is another once they go by something else. Provided by whatever decides, such as `policy`. */
export interface DecisionBasis {
  digest(): string
}
export const DecisionBasis: Service<DecisionBasis> = service<DecisionBasis>('decision-basis')
