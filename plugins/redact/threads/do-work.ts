// The work itself: the same whether a thread does it or, for small messages, the caller.
import type { Payload } from 'mcpgw/plugin'
import type { Tally } from '../masker.ts'
import type { Profile } from '../profile.ts'
import { createSearch } from '../search.ts'
import { isSuspect } from '../suspicion.ts'
import { createTextMasker, type TextMasker } from '../text-masker.ts'
import { createWriter } from '../writer.ts'
import type { Job, Masked, Reply, Work } from './work.ts'

export function doWork(work: Work, profile: Profile, key: Uint8Array | undefined): Reply {
  if (work.kind === 'suspect') return { kind: 'suspect', suspect: isSuspect(profile, readText(work.json)) }
  return { kind: 'mask', ...maskJobs(work, profile, key) }
}

export function maskJobs(
  { tenant, jobs, foreseen }: Omit<Extract<Work, { kind: 'mask' }>, 'kind' | 'profile'>,
  { scanner, patterns, fields }: Profile,
  key: Uint8Array | undefined,
): Masked {
  const counts: Tally = new Map()
  const writer = createWriter(key && { key, tenant })
  const search = scanner && createSearch(scanner, patterns, foreseen)
  const texts = createTextMasker({ search, tally: counts, writer, thorough: foreseen !== undefined })
  const changed = new Map<number, string | true>()
  for (const [i, { as, text, member, fields: named }] of jobs.entries()) {
    if (as === 'number') {
      if (texts.hasFinding(text, member)) changed.set(i, true)
      continue
    }
    const masked =
      as === 'text' ? texts.text(text, member, named ? fields : []) : as === 'name' ? texts.name(text) : texts.encoded(text, member)
    if (masked !== text) changed.set(i, masked)
  }
  return { changed, counts, blocked: writer.blocked }
}

/** Takes the strings of a message down, and changes none. */
export function collectJobs(): { readonly texts: TextMasker; readonly jobs: readonly Job[] } {
  const jobs: Job[] = []
  const names = new Set<string>()
  const add = (as: Job['as'], text: string, member = '', fields = false): void => void jobs.push({ as, text, member, fields })
  return {
    jobs,
    texts: {
      text(text, member, paths) {
        add('text', text, member, paths.length > 0)
        return text
      },
      name(text) {
        if (!names.has(text)) add('name', text)
        names.add(text)
        return text
      },
      hasFinding(number, member) {
        add('number', number, member)
        return false
      },
      encoded(text, member) {
        add('encoded', text, member)
        return text
      },
    },
  }
}

/** Gives back what became of them, asked in the same order. */
export function replayJobs({ changed }: Masked): TextMasker {
  const names = new Map<string, string>()
  let at = 0
  const next = (text: string): string => {
    const masked = changed.get(at++)
    return typeof masked === 'string' ? masked : text
  }
  return {
    text: text => next(text),
    name(text) {
      const known = names.get(text)
      if (known !== undefined) return known
      const masked = next(text)
      names.set(text, masked)
      return masked
    },
    hasFinding: () => changed.get(at++) === true,
    encoded: text => next(text),
  }
}

function readText(json: Uint8Array): Payload {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8')
  return { bytes: json, text, value: null }
}
