// Where the members of an object lie in the scanned bytes: a flat list of numbers in document order, so that a lookup neither parses nor allocates.

/**
 * Five numbers a member, nested members directly after the member they belong to:
 * key start and end (between the quotes; the end is `~end` where the key has escapes), value start and end,
 * and the tape position of the next sibling (`~position` where the members of the value are not on the tape).
 */
export type Tape = readonly number[]

export const entrySize = 5
export const keyStart = 0
export const keyEnd = 1
export const valueStart = 2
export const valueEnd = 3
export const nextEntry = 4

/** Decodes the string content between `start` and `end` (`~end`: it has escapes) of validated bytes. */
export function decodeString(bytes: Buffer, start: number, end: number): string {
  if (end < 0) return JSON.parse(bytes.toString('utf8', start - 1, ~end + 1)) as string
  return bytes.toString('utf8', start, end)
}

/** True where the key between `start` and `end` (`~end`: it has escapes) is `name`. */
export function keyIs(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end < 0) return decodeString(bytes, start, end) === name
  const length = end - start
  if (length < name.length) return false
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    if (unit > 127) return decodeString(bytes, start, end) === name
    if (bytes[start + i] !== unit) return false
  }
  return length === name.length
}

/** Tape position of the member `name` among the siblings in `from`..`to`, or -1. */
export function findEntry(bytes: Buffer, tape: Tape, from: number, to: number, name: string): number {
  for (let at = from; at < to; at = siblingOf(tape, at)) {
    if (keyIs(bytes, tape[at + keyStart]!, tape[at + keyEnd]!, name)) return at
  }
  return -1
}

export function siblingOf(tape: Tape, at: number): number {
  const next = tape[at + nextEntry]!
  return next < 0 ? ~next : next
}
