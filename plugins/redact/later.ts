// The way of a message that takes time: searched in a thread where it is large, looked at by models where there are any.
import type { Clock, JsonValue, Payload, TextDetector } from 'mcpgw/plugin'
import type { Search } from './finding.ts'
import type { Tally } from './masker.ts'
import { askModels } from './models.ts'
import { finish, type Outcome, type Pass } from './pass.ts'
import { createRedactor } from './redactor.ts'
import { createSeams } from './seam.ts'
import { isSuspect } from './suspicion.ts'
import { createTextMasker } from './text-masker.ts'
import { collectJobs, maskJobs, replayJobs } from './threads/do-work.ts'
import type { Pool } from './threads/pool.ts'
import type { Job, Masked } from './threads/work.ts'
import { createWriter } from './writer.ts'

export interface Means {
  readonly pool: Pool
  readonly detectors: readonly TextDetector[]
  readonly clock: Clock
  /** Milliseconds for one message in the pool. */
  readonly deadline: number
}

/** A message up to this long is searched at once, without a thread. */
export const small: number = 64 * 1024
// A look at the bytes of so much takes a millisecond.
const glanced = 256 * 1024
const late: Outcome = { kind: 'late' }
const clean: Outcome = { kind: 'clean' }

export async function maskLater(payload: Payload, pass: Pass & { readonly search: Search }, means: Means): Promise<Outcome> {
  const { profile, scope, search, fields } = pass
  const { pool, clock } = means
  const detectors = profile.models ? means.detectors : []
  const until = clock.mono() + means.deadline
  const isLarge = payload.bytes.length > small
  if (detectors.length === 0) {
    if (payload.bytes.length <= glanced && !isSuspect(profile, payload, true)) return clean
    const reply = await pool.run({ kind: 'suspect', profile: profile.index, json: payload.bytes }, until)
    if (reply?.kind !== 'suspect') return late
    if (!reply.suspect) return clean
  }
  const { texts, jobs } = collectJobs()
  createRedactor({ texts, fields, tally: new Map() }).message(payload.value)
  const foreseen = detectors.length === 0 ? undefined : await askModels(detectors, textsOf(jobs, pass), clock)
  if (typeof foreseen === 'string') return { kind: 'failed', detail: foreseen }
  const work = { jobs, tenant: scope?.tenant ?? '', foreseen }
  const masked = isLarge ? await inThread(pool, { ...work, profile: profile.index }, until) : maskJobs(work, profile, scope?.key)
  return masked === undefined ? late : apply(payload, masked, pass, search)
}

async function inThread(
  pool: Pool,
  work: Parameters<typeof maskJobs>[0] & { readonly profile: number },
  until: number,
): Promise<Masked | undefined> {
  const reply = await pool.run({ kind: 'mask', ...work }, until)
  return reply?.kind === 'mask' ? reply : undefined
}

function apply(payload: Payload, masked: Masked, pass: Pass, search: Search): Outcome {
  const counts: Tally = new Map(masked.counts)
  const writer = createWriter(pass.scope)
  writer.blocked = masked.blocked
  const seams = createSeams(search, counts, writer)
  const value: JsonValue = createRedactor({ texts: replayJobs(masked), seams, fields: pass.fields, tally: counts }).message(payload.value)
  return finish(payload, value, writer.blocked, counts, pass.schema)
}

/** Each text that a model is to see, once: leaves of documents, and what is decoded. */
function textsOf(jobs: readonly Job[], { profile }: Pass): readonly string[] {
  const seen = new Set<string>()
  const listening: Search = {
    find(text) {
      if (/[\p{L}\p{N}]{2}/u.test(text)) seen.add(text)
      return []
    },
    findInName: () => [],
  }
  const texts = createTextMasker({ search: listening, tally: new Map(), writer: createWriter(), thorough: true })
  for (const { as, text, member, fields } of jobs) {
    if (as === 'text') texts.text(text, member, fields ? profile.fields : [])
    if (as === 'encoded') texts.encoded(text, member)
  }
  return [...seen]
}
