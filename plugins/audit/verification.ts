// Checks a log record by record: every column against the body, every body against the chain, every tree against what was signed of it.
import type { Awaitable } from 'mcpgw/plugin'
import { leafOfBody, linkRecord, NO_LINK } from './chain.ts'
import { coverageOf } from './coverage.ts'
import { type Form, findFormFault, type GivenRecord, readForm } from './record-form.ts'
import { type AwaitedReferences, createAwaited, type Reference, readReferences } from './references.ts'
import type { SignedSizes } from './signed-sizes.ts'
import { createStumps, type Tip } from './stumps.ts'
import type { Tombstone } from './tombstone.ts'
import { createTree, type Hash } from './tree.ts'

/** The first thing that is wrong. `what` says what differs. */
export interface Finding {
  readonly n: number | undefined
  readonly stream: string
  readonly seq: number
  readonly what: string
}

export type FoundNote = 'fits' | 'differs' | 'missing'

export interface VerifierOptions {
  /** The stored hash of an earlier record, where a stream refers to one that is behind its end. */
  lookUp(stream: string, seq: number): Promise<Uint8Array | undefined>
  readonly signed: SignedSizes
  /** Streams whose beginning was taken out. */
  readonly stumps: readonly Tombstone[]
  /** Whether the note that is stored for a size of a stream may be the one of a digest; absent where checkpoints are not stored one by one. */
  readonly findNote?: ((stream: string, size: number, digest: unknown) => Awaitable<FoundNote>) | undefined
}

export interface Progress {
  readonly records: number
  /** Numbers that no record has. */
  readonly skipped: number
  readonly unannounced: number
  readonly clockSteps: number
  readonly open: readonly string[]
  readonly awaited: ReturnType<AwaitedReferences['list']>
  readonly tips: readonly (readonly [
    stream: string,
    seq: number,
    link: string,
    frontier: readonly Hash[],
    refers: readonly Reference[],
    retired: number,
  ])[]
}

export interface Verifier {
  /** Takes each stream in the order of `seq`. */
  check(record: GivenRecord): Awaitable<Finding | undefined>
  /** When there are no more. */
  finish(): Finding | undefined
  /** That are as they should be. */
  readonly records: number
  readonly streams: number
  /** Intents without an end; normal for calls in flight. */
  readonly open: number
  /** Ends of calls that have no intent: written while the log was failing, with `onAuditFailure: degrade`. */
  readonly unannounced: number
  readonly clockSteps: number
  /** What is proven of each stream, by what is trusted and by the records among it that refer to others: its first so many. */
  covered(): ReadonlyMap<string, number>
  /** How many records of each stream were taken out, and are not there all the same. */
  retired(): ReadonlyMap<string, number>
  progress(): Progress
}

export function createVerifier({ lookUp, signed, stumps: tombstones, findNote }: VerifierOptions, from?: Progress): Verifier {
  const stumps = createStumps(tombstones)
  const tips = new Map<string, Tip>(stumps.tips)
  const open = new Set<string>(from?.open)
  const awaited = createAwaited(from?.awaited)
  let { records, skipped, unannounced, clockSteps } = from ?? { records: 0, skipped: 0, unannounced: 0, clockSteps: 0 }
  const retired = [...tips.values()].reduce((sum, tip) => sum + tip.retired, 0)
  for (const [stream, seq, link, frontier, refers, gone] of from?.tips ?? [])
    tips.set(stream, {
      seq,
      link: Buffer.from(link, 'hex'),
      tree: createTree(seq, frontier),
      retired: gone,
      refers,
    })

  function findFault(record: GivenRecord, parsed: Form | string): Awaitable<string | undefined> {
    const { n } = record
    if (n !== undefined && n !== records + skipped) {
      if (n < records + skipped) return `number ${n} is out of order`
      if (n - records > retired) return `record ${records + skipped} is missing: the numbering jumps to ${n}`
      skipped = n - records
    }
    const form = typeof parsed === 'string' ? parsed : findFormFault(record, parsed)
    if (typeof parsed === 'string' || form !== undefined) return form
    const { stream, seq } = parsed
    const tip = stumps.before(stream, seq, tips.get(stream))
    if (tip === undefined) tips.delete(stream)
    else tips.set(stream, tip)
    const expected = tip === undefined ? 1 : tip.seq + 1
    if (seq !== expected)
      return seq > expected
        ? `records ${expected} to ${seq - 1} of the stream are missing`
        : `position ${seq} occurs again: the stream forks`
    if (tip !== undefined) return findLinkFault(record, parsed, tip.link)
    return findBefore(n, stream, parsed).then(before => (typeof before === 'string' ? before : findLinkFault(record, parsed, before)))
  }

  /** Of what was taken out the tombstone knows the end. */
  function tipAt(stream: string, seq: number): Tip | undefined {
    const tip = tips.get(stream)
    return seq > (tip?.seq ?? 0) ? (stumps.end(stream, tip) ?? tip) : tip
  }

  function findLinkFault({ prev, hash, body }: GivenRecord, form: Form, before: Uint8Array): Awaitable<string | undefined> {
    if (!equal(prev, before)) return 'column prev is not the hash of the record before'
    const leaf = leafOfBody(body)
    if (!equal(hash, linkRecord(before, leaf))) return 'column hash does not fit: body or hash were changed'
    return follow(form.stream, form.seq, form, hash, leaf)
  }

  /** Where a new stream continues, as its first record says; what that refers to is met now or later. */
  async function findBefore(n: number | undefined, stream: string, { type, detail }: Form): Promise<Uint8Array | string> {
    if (type !== 'stream.start') return 'the stream does not begin with stream.start'
    const refers = readReferences(detail)
    if (refers === undefined) return 'stream.start does not say what it continues'
    const { after, closes } = refers
    for (const one of after === null ? closes : [after, ...closes]) {
      const tip = tipAt(one.stream, one.seq ?? 0)
      if (tip === undefined || (one.seq !== undefined && tip.seq < one.seq)) {
        awaited.wait(one, { n, stream, seq: 1 })
        continue
      }
      // Of what was taken out the tombstone vouches for the end only.
      if (one.seq === undefined || one.seq < tip.retired) continue
      const link = tip.seq === one.seq ? tip.link : await lookUp(one.stream, one.seq)
      if (link === undefined || Buffer.from(link).toString('hex') !== one.hash)
        return `record ${one.stream}:${one.seq}, to which this stream refers, was changed`
    }
    return after === null ? NO_LINK : Buffer.from(after.hash!, 'hex')
  }

  function follow(stream: string, seq: number, body: Form, hash: Uint8Array, leaf: Hash): Awaitable<string | undefined> {
    let tip = tips.get(stream)
    if (tip === undefined) {
      const refers = readReferences(body.detail)
      tip = {
        seq,
        link: hash,
        tree: createTree(),
        retired: 0,
        refers: refers === undefined ? [] : [...(refers.after === null ? [] : [refers.after]), ...refers.closes],
      }
      tips.set(stream, tip)
    }
    tip.seq = seq
    tip.link = hash
    tip.tree.add(leaf)
    if (stumps.differs(stream, seq, hash, tip.tree.root)) return 'the records up to here are not those of which the tombstone tells'
    if (!awaited.meet(stream, seq, hash)) return 'the record was changed: a later stream refers to another one in its place'
    if (signed.has(stream, seq)) {
      const at = signed.meet(stream, seq, tip.tree.root())
      if (at !== undefined)
        return `the records up to here are not those that were signed in the checkpoint of ${new Date(at).toISOString()}`
    }
    const { type, callId: call } = body
    if (type === 'clock.step') clockSteps += 1
    if (type === 'audit.checkpoint') return findCheckpoint(stream, tip.retired, body.detail)
    if (typeof call !== 'string') return undefined
    if (type === 'intent') open.add(call)
    // The intent may be among what was taken out.
    else if (!open.delete(call) && type === 'outcome' && retired === 0) unannounced += 1
    return undefined
  }

  function findCheckpoint(stream: string, gone: number, detail: unknown): Awaitable<string | undefined> {
    const { size, note } = (detail ?? {}) as { size?: unknown; note?: unknown }
    if (findNote === undefined || typeof size !== 'number' || size <= gone) return undefined
    const judge = (found: FoundNote): string | undefined => {
      if (found === 'missing') return `the checkpoint of ${size} records, of which this record tells, is missing`
      return found === 'fits' ? undefined : `the checkpoint of ${size} records is not the one of which this record tells`
    }
    const found = findNote(stream, size, note)
    return found instanceof Promise ? found.then(judge) : judge(found as FoundNote)
  }

  return {
    check(record) {
      records += 1
      const parsed = readForm(record)
      const settle = (what: string | undefined): Finding | undefined => {
        if (what === undefined) return undefined
        records -= 1
        const place = typeof parsed === 'string' ? undefined : parsed
        return { n: record.n ?? records + 1, stream: record.stream ?? place?.stream ?? '?', seq: record.seq ?? place?.seq ?? 0, what }
      }
      const fault = findFault(record, parsed)
      // Almost always there is nothing to wait for, and waiting costs as much as the hashing.
      return fault instanceof Promise ? fault.then(settle) : settle(fault)
    },
    finish() {
      for (const { stream, through, frontier } of tombstones) {
        if (signed.meet(stream, through, createTree(through, frontier).root()) === undefined) continue
        return { n: undefined, stream, seq: through, what: 'the tombstone differs from what was signed in a checkpoint' }
      }
      const missing = awaited.first()
      if (missing !== undefined) return { ...missing.by, what: missing.what }
      const cut = signed.unmet(stream => tipAt(stream, Infinity)?.seq ?? 0)
      if (cut === undefined) return undefined
      const seq = (tipAt(cut.stream, Infinity)?.seq ?? 0) + 1
      const what = `records ${seq} to ${cut.size} of the stream are missing: they were signed in the checkpoint of ${new Date(cut.at).toISOString()}`
      return { n: undefined, stream: cut.stream, seq, what }
    },
    get records() {
      return records
    },
    get streams() {
      return tips.size
    },
    get open() {
      return open.size
    },
    get unannounced() {
      return unannounced
    },
    get clockSteps() {
      return clockSteps
    },
    retired: () => new Map([...tips].map(([stream, tip]) => [stream, tip.retired])),
    covered: () => coverageOf(signed.proven(), stream => tips.get(stream)?.refers),
    progress: () => ({
      records,
      skipped,
      unannounced,
      clockSteps,
      open: [...open],
      awaited: awaited.list(),
      tips: [...tips].map(([stream, { seq, link, tree, refers, retired: gone }]) => [
        stream,
        seq,
        Buffer.from(link).toString('hex'),
        tree.frontier(),
        refers,
        gone,
      ]),
    }),
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
