// Compiles detectors into tables, so that the scan stops only where a detector could start.
import { spanOf } from './characters.ts'
import type { CodeDetector, Detector, MarkDetector, NumberDetector, PrefixDetector } from './detector.ts'

export const stop = { none: 0, digit: 1, mark: 2, backslash: 3, anchor: 4 } as const

export interface Candidate {
  readonly literal: string
  /** Offset of the anchor character in the literal. */
  readonly anchor: number
  /** Characters that must not precede the literal, beside letters and digits. */
  readonly inside: Uint8Array
  readonly detector: PrefixDetector
}

export interface Triggers {
  /** What an ASCII character means to the scan: one of `stop`. */
  readonly classes: Uint8Array
  /** For `(previous << 7) | anchor`: index into `candidates`, 0 where no literal goes on like that. */
  readonly slots: Uint16Array
  readonly candidates: readonly (readonly Candidate[])[]
  /** By ASCII code. */
  readonly marks: readonly (readonly MarkDetector[])[]
  readonly numbers: readonly NumberDetector[]
  readonly code: readonly CodeDetector[]
}

// Rarest last in English, JSON and code; what is not listed is rarer still.
const common = ' "etaoinsrhldcumfpgwybvkxjqz-_.:/ESTAIRNOCLDPMBG'
// An anchor within the literal is told apart by the character before it as well.
const firstIsWorseBy = 6

export function compileTriggers(detectors: readonly Detector[]): Triggers {
  const classes = new Uint8Array(128)
  const slots = new Uint16Array(128 * 128)
  const candidates: Candidate[][] = [[]]
  for (let code = 48; code <= 57; code++) classes[code] = stop.digit
  classes[0x5c] = stop.backslash
  const marks: MarkDetector[][] = Array.from({ length: 128 }, () => [])
  for (const detector of detectors) {
    if (detector.on === 'mark') {
      classes[detector.mark.charCodeAt(0)] = stop.mark
      marks[detector.mark.charCodeAt(0)]!.push(detector)
    }
  }
  for (const detector of detectors) {
    if (detector.on !== 'prefix') continue
    for (const literal of detector.prefixes) {
      const anchor = rarest(literal, classes)
      const inside = detector.embedded !== true && isWithin(literal, detector.body) ? detector.body : nothing
      const code = literal.charCodeAt(anchor)
      classes[code] = stop.anchor
      for (const before of anchor === 0 ? allCodes : [literal.charCodeAt(anchor - 1)]) {
        const slot = (before << 7) | code
        if (slots[slot] === 0) slots[slot] = candidates.push([]) - 1
        candidates[slots[slot]!]!.push({ literal, anchor, inside, detector })
      }
    }
  }
  return {
    classes,
    slots,
    candidates,
    marks,
    numbers: detectors.filter(detector => detector.on === 'number'),
    code: detectors.filter(detector => detector.on === 'code'),
  }
}

/** The rarer a character is, the higher. */
export function rankOf(character: string): number {
  const rank = common.indexOf(character)
  return rank < 0 ? common.length : rank
}

const nothing = new Uint8Array(128)

// Invariant: a literal within a longer value of its own detector does not start again, or the scan would be quadratic.
function isWithin(literal: string, body: Uint8Array): boolean {
  return spanOf(literal, 0, body) === literal.length
}

const allCodes = Array.from({ length: 128 }, (_, code) => code)

// Invariant: an anchor is no digit, mark or backslash, whose classes mean something else.
function rarest(literal: string, classes: Uint8Array): number {
  let best = -1
  let score = Number.NEGATIVE_INFINITY
  for (let i = 0; i < literal.length; i++) {
    const taken = classes[literal.charCodeAt(i)]
    if (taken !== stop.none && taken !== stop.anchor) continue
    const value = rankOf(literal[i]!) - (i === 0 ? firstIsWorseBy : 0)
    if (value > score) {
      best = i
      score = value
    }
  }
  if (best < 0) throw new Error(`the prefix ${JSON.stringify(literal)} has no character to wait for`)
  return best
}
