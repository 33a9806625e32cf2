// One pass over one message: what comes of it, and what was found.
import type { JsonValue, Payload } from 'mcpgw/plugin'
import type { FieldPath } from './field-path.ts'
import type { Search } from './finding.ts'
import type { Tally } from './masker.ts'
import type { Profile } from './profile.ts'
import { createRedactor } from './redactor.ts'
import { fitResult } from './result.ts'
import type { Schema } from './schema/reference.ts'
import { createSeams } from './seam.ts'
import { createSearch } from './search.ts'
import { isSuspect } from './suspicion.ts'
import { createTextMasker } from './text-masker.ts'
import { createWriter, type TokenScope } from './writer.ts'

export type Outcome =
  | { readonly kind: 'clean' }
  | { readonly kind: 'masked'; readonly value: JsonValue; readonly counts: Tally }
  /** It holds a finding of this detector, whose action is `block`. */
  | { readonly kind: 'blocked'; readonly id: string; readonly counts: Tally }
  /** Masked, it would not fit its schema at `at`, a JSON pointer. */
  | { readonly kind: 'misfit'; readonly at: string; readonly counts: Tally }

  /** It could not be searched in the time or size that is set. */
  | { readonly kind: 'late' }
  /** A model did not answer, or not as it should; `detail` is for the log. */
  | { readonly kind: 'failed'; readonly detail: string }

export interface Pass {
  readonly profile: Profile
  /** Undefined: only the fields. */
  readonly search: Search | undefined
  readonly fields: readonly FieldPath[]
  readonly scope: TokenScope | undefined
  /** What a result is held against. */
  readonly schema?: Schema | undefined
}

const clean: Outcome = { kind: 'clean' }

export function searchOf({ scanner, patterns }: Profile): Search | undefined {
  return scanner && createSearch(scanner, patterns)
}

/** `as`: a message has members of the protocol; a document is all data. */
export function maskPayload(payload: Payload, { profile, search, fields, scope, schema }: Pass, as: 'message' | 'document'): Outcome {
  if (!isSuspect(search === undefined ? { ...profile, scanner: undefined, fields } : profile, payload)) return clean
  const counts: Tally = new Map()
  const writer = createWriter(scope)
  const texts = createTextMasker({ search, tally: counts, writer })
  const seams = search && createSeams(search, counts, writer)
  const value = createRedactor({ texts, ...(seams && { seams }), fields, tally: counts })[as](payload.value)
  return finish(payload, value, writer.blocked, counts, schema)
}

/** What comes of a message that has been walked. */
export function finish(
  payload: Payload,
  value: JsonValue,
  blocked: string | undefined,
  counts: Tally,
  schema: Schema | undefined,
): Outcome {
  if (blocked !== undefined) return { kind: 'blocked', id: blocked, counts }
  if (value === payload.value) return clean
  const fitted = schema === undefined ? { value } : fitResult(schema, payload.value, value)
  return 'misfit' in fitted ? { kind: 'misfit', at: fitted.misfit, counts } : { kind: 'masked', value: fitted.value, counts }
}
