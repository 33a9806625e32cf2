// The detector port: what a detector waits for in a text, and what it answers once that was seen.

/**
 * What happens to a finding: `mask` keeps the last four characters, `replace` leaves only the type, e.g. `[EMAIL]`, `token` a keyed digest
 * with the type, `drop` empties the whole text that holds it, `block` refuses the message. From the mildest to the strictest.
 */
export type Action = (typeof actions)[number]
export const actions = ['mask', 'token', 'replace', 'drop', 'block'] as const

/** UTF-16 offsets into the text searched, end exclusive. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A row of digits, in groups, with at most three spaces and dashes or one full stop between them. */
export interface Run {
  text: string
  /** Nothing before this offset belongs to the value: there, an escape of the JSON text ends. */
  floor: number
  /** Offset after the last digit. */
  end: number
  /** All digits, 0 to 9, whatever stands between them. */
  digits: Uint8Array
  groups: number
  /** For each group: its first digit and the end, in the text; its first digit in `digits`; what follows it, one of `gap`. */
  starts: Int32Array
  ends: Int32Array
  firsts: Int32Array
  gaps: Uint8Array
}
export const gap = { none: 0, space: 1, dash: 2, dot: 3, mixed: 4 } as const

interface Common {
  /** Config word, counter label and, in capitals, what replaces a finding. */
  readonly id: string
  readonly action: Action
  /** Lower-case words, without accents, one of which must name the value: in the member's key or in the text just before. */
  readonly words?: readonly string[]
}

/** Waits for one of its literals where neither a letter, a digit nor a longer value of its kind precedes it; `from` is the offset after it. */
export interface PrefixDetector extends Common {
  readonly on: 'prefix'
  readonly prefixes: readonly string[]
  /** Table of the ASCII characters that the value may go on with. */
  readonly body: Uint8Array
  /** In JSON text the literal alone is suspicious: escapes may hide what else `find` looks at. */
  readonly literalSuffices?: true
  /** The literal may stand within a word. */
  readonly embedded?: true
  /** Whether a whole text is such a value where `key`, in lower-case letters and digits, is the name of its member. */
  readonly alone?: { readonly keys: readonly string[]; readonly sizes: readonly number[]; fits(text: string): boolean }
  /** `at` is where the literal stands; nothing before `floor` belongs to the value. */
  find(text: string, at: number, from: number, floor: number): Range | undefined
}
/** Waits for one character, `mark`, where the character `hint.offset` away from it is in the table. */
export interface MarkDetector extends Common {
  readonly on: 'mark'
  readonly mark: string
  readonly hint?: { readonly offset: number; readonly table: Uint8Array }
  find(text: string, at: number, floor: number): Range | undefined
}
/**
 * Waits for digits in groups of given sizes. `3-2-4`: what stands between them is a dash (` `, `.`; `~` any spaces and dashes).
 * `anywhere`: these shapes need no word of `words`; `named`: these do.
 */
export interface NumberDetector extends Common {
  readonly on: 'number'
  readonly anywhere?: readonly string[]
  readonly named?: readonly string[]
  /** `size` digits from `digits[from]` on; `group` is the first of their groups in the run. */
  passes(digits: Uint8Array, from: number, size: number, run: Run, group: number): boolean
  /** Offset after letters that follow the digits and belong to them, -1 where they are missing. */
  readonly tail?: (text: string, end: number, digits: Uint8Array, from: number) => number
}
/** Waits for a digit right after a capital letter, or after one and a space or a dash; `at` is that digit. */
export interface CodeDetector extends Common {
  readonly on: 'code'
  find(text: string, at: number, floor: number, isNamed: (detector: Detector, at: number) => boolean): Range | undefined
}

// Invariant: every `find` looks at a bounded stretch or moves the scan past what it read, so that a scan stays linear.
export type Detector = PrefixDetector | MarkDetector | NumberDetector | CodeDetector

export interface Span extends Range {
  readonly detector: Detector
}
