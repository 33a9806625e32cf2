// Whom records are about: what is personal in a record is sealed with a key of theirs, so that to forget them is to delete that key, and nothing of the chain.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Append, Clock } from 'mcpgw/plugin'
import { createDigest } from './digest.ts'
import { type SubjectRow, subjectRow } from './store/log-store.ts'

/** Somebody as records know them; `stored`: the row is durable. */
export interface Subject {
  /** Random: says nothing of who it is. */
  readonly id: string
  readonly row: Append
  stored: boolean
  /** Which of the leases it was known in first. */
  readonly lease: number
  /** AES-256-GCM: base64 of nonce, ciphertext and tag. `context` is bound to it, and must be given to open it. */
  seal(text: string, context: string): string
  /** Keyed: whoever guesses a value cannot confirm it, and once the key is gone nobody can. `hmac-sha256:` and 64 hex digits. */
  digest(bytes: Uint8Array): string
}

/** Who it is; the empty id stands for everybody without an identity. */
export interface Who {
  readonly tenant: string
  readonly id: string
}

export interface Subjects {
  of(who: Who): Subject
  /** Whether its key may still seal. False for ever once it is not. */
  isCurrent(subject: Subject): boolean
  /** What the store said at `asked`: these keys are about to be deleted, and all others are not. */
  confirm(retired: readonly string[], asked: Moment): void
}

/** By both clocks, for either may stand still: one while the machine sleeps, the other as somebody sets it. */
export interface Moment {
  readonly now: number
  readonly mono: number
}
export const momentOf = (clock: Clock): Moment => ({ now: clock.now(), mono: clock.mono() })

/** ms for which a stored key may seal after the store has said that it stays. Whoever deletes one marks it, and waits for longer. */
export const LEASE_MS = 3000

/** What the master key gives. Whoever has it reads everything that was not forgotten. */
export interface Keys {
  readonly wrap: Uint8Array
  readonly lookup: Uint8Array
}

const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
const KEPT = 10_000

export function deriveKeys(master: Uint8Array): Keys {
  const derive = (info: string): Uint8Array => new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), info, 32))
  return { wrap: derive('mcpgw audit wrap'), lookup: derive('mcpgw audit lookup') }
}

/** To find somebody's rows by. */
export function lookupOf(keys: Keys, { tenant, id }: Who): string {
  return createHmac('sha256', keys.lookup)
    .update(JSON.stringify([tenant, id]))
    .digest('hex')
}

/** `known`: rows of earlier boots, as they were at `read`; a subject that is among them keeps its key. */
export function createSubjects(keys: Keys, known: readonly SubjectRow[], clock: Clock, read: Moment): Subjects {
  const rows = new Map(known.map(row => [row.lookup, row]))
  const subjects = new Map<string, Subject>()
  const retired = new Set<string>()
  let confirmed = read
  let lease = 0

  // Invariant: no stored key seals that may have been deleted meanwhile. Whoever had it gets a new one: nothing is lost by it.
  function lapse(): void {
    const { now, mono } = momentOf(clock)
    if (Math.abs(now - confirmed.now) <= LEASE_MS && mono - confirmed.mono <= LEASE_MS) return
    lease += 1
    confirmed = { now, mono }
    rows.clear()
    for (const [name, subject] of subjects) if (subject.stored) subjects.delete(name)
  }

  const stands = (subject: Subject): boolean => (subject.lease === lease || !subject.stored) && !retired.has(subject.id)

  return {
    of(who) {
      lapse()
      const name = JSON.stringify([who.tenant, who.id])
      let subject = subjects.get(name)
      // One that was made before a lapse, and stored after it, does not stand any more either.
      if (subject === undefined || !stands(subject)) {
        const lookup = lookupOf(keys, who)
        const row = rows.get(lookup)
        subject = (row && recall(keys, row, lease)) ?? create(keys, lookup, who, lease)
        // Who is forgotten here gets a new key: nothing is lost by it.
        if (subjects.size >= KEPT) subjects.clear()
        subjects.set(name, subject)
      }
      return subject
    },
    isCurrent(subject) {
      lapse()
      return stands(subject)
    },
    confirm(ids, asked) {
      if (asked.mono > confirmed.mono) confirmed = asked
      if (ids.length === 0) return
      for (const id of ids) retired.add(id)
      for (const [name, { id }] of subjects) if (retired.has(id)) subjects.delete(name)
      for (const [lookup, { id }] of rows) if (retired.has(id)) rows.delete(lookup)
    },
  }
}

function create(keys: Keys, lookup: string, { tenant, id: name }: Who, lease: number): Subject {
  const id = randomBytes(12).toString('hex')
  const key = randomBytes(32)
  const row = {
    id,
    lookup,
    key: seal(keys.wrap, key, id),
    who: seal(key, JSON.stringify({ tenant, id: name }), id),
  }
  return subjectOf(row, key, false, lease)
}

/** Undefined where the row is not of this master key. */
function recall(keys: Keys, row: SubjectRow, lease: number): Subject | undefined {
  const key = unseal(keys.wrap, row.key, row.id)
  return key && subjectOf(row, key, true, lease)
}

function subjectOf(row: SubjectRow, key: Uint8Array, stored: boolean, lease: number): Subject {
  const secret = createSecretKey(key)
  return {
    id: row.id,
    row: subjectRow(row),
    stored,
    lease,
    seal: (text, context) => seal(secret, text, context),
    digest: createDigest(key),
  }
}

/** Somebody that a stored log knows. */
export interface KnownSubject extends Who {
  readonly subject: string
  /** Undefined where it was changed, or sealed for another context. */
  open(sealed: string, context: string): string | undefined
  digest(bytes: Uint8Array): string
}

/** Undefined where the master key is another one. */
export function openSubject(keys: Keys, row: SubjectRow): KnownSubject | undefined {
  const key = unseal(keys.wrap, row.key, row.id)
  const text = key && unseal(key, row.who, row.id)
  if (key === undefined || text === undefined) return undefined
  const { tenant, id } = JSON.parse(text.toString()) as Who
  return { subject: row.id, tenant, id, open: (sealed, context) => unseal(key, sealed, context)?.toString(), digest: createDigest(key) }
}

// Random, so that boots and instances that share a key never meet; drawn many at a time, for one draw costs as much as the sealing.
let nonces = Buffer.alloc(0)
function nextNonce(): Uint8Array {
  if (nonces.length < NONCE) nonces = randomBytes(NONCE * 256)
  const nonce = nonces.subarray(0, NONCE)
  nonces = nonces.subarray(NONCE)
  return nonce
}

function seal(key: Uint8Array | KeyObject, plain: Uint8Array | string, context: string): string {
  const nonce = nextNonce()
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  cipher.setAAD(Buffer.from(context))
  const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  cipher.final()
  return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64')
}

function unseal(key: Uint8Array, sealed: string, context: string): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes.length < NONCE + TAG) return undefined
  try {
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE))
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()])
  } catch {
    return undefined
  }
}
