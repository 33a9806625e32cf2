// Which two bytes of a JSON text deserve a look: two at a time they are read in half the time, and most two are of no interest.
import { isAlphanumeric, isCapital, isDigit } from './characters.ts'
import type { MarkDetector } from './detector.ts'
import { rankOf, type Triggers } from './triggers.ts'

/** What may be waited for at a pair: a literal that would have begun `before` bytes ahead of it, or any look at `json[i]`, its first byte. */
export interface Waiting {
  readonly literals: readonly { readonly literal: string; readonly before: number }[]
  readonly looks: readonly ((json: Uint8Array, i: number) => boolean)[]
}
type Look = Waiting['looks'][number]

export interface Pairs {
  /** By pair: index into `waiting`, 0 where nothing is waited for. */
  readonly slots: Uint16Array
  readonly waiting: readonly Waiting[]
}

/** The bytes two by two; the first one stays outside where it has an odd address, and the last one where none is left for it. */
export function pairsOf(json: Uint8Array): Uint16Array {
  const skipped = json.byteOffset & 1
  return new Uint16Array(json.buffer, json.byteOffset + skipped, (json.length - skipped) >> 1)
}

const two = new Uint8Array(2)
const one = new Uint16Array(two.buffer)

/** Two bytes as this machine reads them. */
export function pairOf(first: number, second: number): number {
  two[0] = first
  two[1] = second
  return one[0]!
}

const backslash = 0x5c
const slash = 0x2f
const dash = 0x2d
const ascii = Array.from({ length: 128 }, (_, code) => code)

type Wait = (first: number, second: number, what: Look | Waiting['literals'][number]) => void

// Invariant: whatever is waited for shows in a pair, whether it begins in the middle of one or not.
export function compilePairs({ candidates, marks, code }: Triggers): Pairs {
  const waiting: Waiting[] = [
    { literals: [], looks: [] },
    { literals: [], looks: [() => true] },
  ]
  const longer = new Map<Parameters<Wait>[2], Map<number, number>>()
  const slots = new Uint16Array(65_536).fill(1)
  for (const row of ascii) slots.fill(0, row << 8, (row << 8) + ascii.length)

  /** Pairs that wait for the same share one slot. */
  const wait: Wait = (first, second, what) => {
    const pair = pairOf(first, second)
    const known = longer.get(what) ?? new Map<number, number>()
    longer.set(what, known)
    const slot = slots[pair]!
    const next = known.get(slot) ?? waiting.push(and(waiting[slot]!, what)) - 1
    known.set(slot, next)
    slots[pair] = next
  }
  /** `look` is given the offset of the byte. */
  const waitForAny = (bytes: readonly number[], look: Look): void => {
    const second: Look = (json, i) => look(json, i + 1)
    for (const byte of bytes) {
      for (const other of ascii) {
        wait(byte, other, look)
        wait(other, byte, second)
      }
    }
  }

  marks.forEach((known, byte) => {
    for (const mark of known) waitForAny([byte], (json, i) => isHinted(json, i, mark))
  })
  for (const mark of marks[slash]!) waitForAny([slash], (json, i) => json[i - 1] === backslash && isHinted(json, i - 1, mark))
  if (code.length > 0) waitForAny(ascii.filter(isCapital), startsCode)
  for (const literal of new Set(candidates.flat().map(candidate => candidate.literal))) waitForLiteral(literal, wait)
  return { slots, waiting }
}

function and({ literals, looks }: Waiting, what: Parameters<Wait>[2]): Waiting {
  return typeof what === 'function' ? { literals, looks: [...looks, what] } : { literals: [...literals, what], looks }
}

/** The rarest pair of those that begin at an even offset of the literal, and of those at an odd one: one of the two is read as a pair. */
function waitForLiteral(literal: string, wait: Wait): void {
  const at = (k: number): number => literal.charCodeAt(k)
  const [stands, follows] = [
    { literal, before: 0 },
    { literal, before: -1 },
  ]
  if (literal.length === 1) for (const byte of ascii) wait(at(0), byte, stands)
  if (literal.length < 3) for (const byte of ascii) wait(byte, at(0), follows)
  for (const first of [0, 1]) {
    let [best, rarity] = [first, -1]
    for (let k = first; k + 1 < literal.length; k += 2) {
      const is = rarityOf(at(k), at(k + 1))
      if (is > rarity) [best, rarity] = [k, is]
    }
    if (rarity >= 0) wait(at(best), at(best + 1), { literal, before: best })
  }
}

const ranks = Uint8Array.from(ascii, code => rankOf(String.fromCharCode(code)))
// The commonest two letters of English.
const common = new Set(
  'th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne'
    .split(' ')
    .map(two => pairOf(two.charCodeAt(0), two.charCodeAt(1))),
)

function rarityOf(first: number, second: number): number {
  return common.has(pairOf(first, second)) ? 0 : ranks[first]! + ranks[second]!
}

/** Whether `literal` begins `before` bytes ahead of `i`. */
export function standsAt(json: Uint8Array, i: number, { literal, before }: Waiting['literals'][number]): boolean {
  const start = i - before
  if (start < 0) return false
  for (let k = 0; k < literal.length; k++) if (json[start + k] !== literal.charCodeAt(k)) return false
  return true
}

function isHinted(json: Uint8Array, i: number, { hint }: MarkDetector): boolean {
  return hint === undefined || hint.table[json[i + hint.offset]!] === 1
}

/**
 * Whether a capital may begin what the detectors of codes look for: DE89, AB12 or AB 12, X12 or X-12; or is the 2A of a place in Corsica.
 * An escape may hide what stands before it, in its letter: `\nDE89`.
 */
function startsCode(json: Uint8Array, i: number): boolean {
  const next = json[i + 1]!
  if (isDigit(next) && isDigit(json[i - 1]!) && isDigit(json[i - 2]!)) return json[i - 1] === 0x32
  const isJoined = isAlphanumeric(json[i - 1]!) && json[i - 2] !== backslash
  if (isJoined) return false
  const second = isCapital(next) ? i + 2 : i + 1
  const from = isSeparator(json[second]!) ? second + 1 : second
  return isDigit(json[from]!) && isDigit(json[from + 1]!)
}

function isSeparator(byte: number): boolean {
  return byte === 0x20 || byte === dash
}
