// What the record says of the calls of the demo, and what `audit verify` says of it, before and after somebody changes one record.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { callVerb } from '../call-verb.ts'
import type { VerbIo } from '../verb.ts'

/** One call, out of its records. */
export interface Recorded {
  readonly tool: string
  readonly status: string
  readonly decision: string
  /** Why it was refused. */
  readonly code?: string
  readonly rules: readonly { readonly rule: string; readonly at: string }[]
  /** How many of each kind were masked. */
  readonly masked: Readonly<Record<string, number>>
}

interface StoredRecord {
  readonly callId?: string
  readonly tool?: string
  readonly outcome?: string
  readonly type: string
  readonly redactions?: Recorded['masked']
  readonly decision?: {
    readonly outcome: string
    readonly code?: string
    readonly policy?: { readonly rules: Recorded['rules'] }
  }
}

/** In the order of the calls. */
export async function readCalls(io: VerbIo, consumer: string): Promise<readonly Recorded[]> {
  const { said } = await callVerb(io, 'audit', ['audit', 'log'], [], { consumer, intents: true })
  const { records } = said as { readonly records: readonly StoredRecord[] }
  const calls = new Map<string, StoredRecord[]>()
  for (const record of records)
    if (record.callId !== undefined && record.tool !== undefined) calls.set(record.callId, [...(calls.get(record.callId) ?? []), record])
  return [...calls.values()].map(parts => {
    const decision = parts.find(one => one.decision !== undefined)?.decision
    return {
      tool: parts[0]!.tool ?? '',
      status: parts.some(({ type }) => type === 'refusal') ? 'refused' : (parts.at(-1)!.outcome ?? 'open'),
      decision: decision?.outcome ?? 'none',
      ...(decision?.code !== undefined && { code: decision.code }),
      rules: decision?.policy?.rules ?? [],
      masked: Object.assign({}, ...parts.map(({ redactions }) => redactions ?? {})) as Recorded['masked'],
    }
  })
}

/** Of `audit verify --json`. */
export interface Verified {
  readonly code: number
  readonly verdict: string
  readonly records: number
  readonly checkpoints: number
  /** The first record that does not hold, and why. */
  readonly broken: { readonly n?: number; readonly what: string } | null
}

export async function verify(io: VerbIo, file?: string): Promise<Verified> {
  const { code, said } = await callVerb(io, 'audit', ['audit', 'verify'], file === undefined ? [] : [file], {})
  const { verdict, records, checkpoints, broken } = said as Omit<Verified, 'code'>
  return { code, verdict, records, checkpoints, broken }
}

/** As somebody does who can write to the disk: some bytes of the file, of equal length, so that it stays a database. The path of the copy. */
export async function forge(dir: string, { from, to }: Forgery): Promise<string> {
  const bytes = await readFile(join(dir, 'audit.db'))
  const at = bytes.indexOf(from)
  if (at < 0 || from.length !== to.length) throw new Error(`the record has no ${from}`)
  bytes.write(to, at, 'latin1')
  const copy = join(dir, 'copy-of-audit.db')
  await writeFile(copy, bytes, { mode: 0o600 })
  return copy
}

export interface Forgery {
  readonly from: string
  readonly to: string
}
