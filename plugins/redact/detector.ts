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

/** Digits with up to three spaces or dashes between their groups, as long as the text goes on like that. */
export interface DigitRun {
  readonly text: string
  readonly groups: readonly Range[]
  /** Nothing before this offset belongs to the value: there, an escape of the JSON text ends. */
  readonly floor: number
}

interface Common {
  /** Config word, counter label and, in capitals, what replaces a finding. */
  readonly id: string
  readonly action: Action
}

/** Waits for one of its literals where neither a letter, a digit nor a longer value of its kind precedes it; `from` is the offset after it. */
export interface PrefixDetector extends Common {
  readonly on: 'prefix'
  readonly prefixes: readonly string[]
  /** Table of the ASCII characters that the value may go on with. */
  readonly body: Uint8Array
  /** In JSON text the literal alone is suspicious: escapes may hide what else `find` looks at. */
  readonly literalSuffices?: true
  find(text: string, at: number, from: number): Range | undefined
}
/** Waits for an `@`. */
export interface AtDetector extends Common {
  readonly on: 'at'
  find(text: string, at: number, floor: number): Range | undefined
}
/** Waits for nine digits or more in one run. `named` tells whether the member's key has one of the words `names`. */
export interface DigitsDetector extends Common {
  readonly on: 'digits'
  readonly names?: RegExp
  find(run: DigitRun, named: () => boolean): readonly Range[]
}
/** Waits for a digit right after a capital letter; `at` is that digit. */
export interface CodeDetector extends Common {
  readonly on: 'code'
  find(text: string, at: number, floor: number): Range | undefined
}

// Invariant: every `find` looks at a bounded stretch or moves the scan past what it read, so that a scan stays linear.
export type Detector = PrefixDetector | AtDetector | DigitsDetector | CodeDetector

export interface Span extends Range {
  readonly detector: Detector
}
