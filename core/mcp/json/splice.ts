// Replaces, removes and adds members of an object in its bytes; every other byte stays as it was received.
import { quote } from './serialise.ts'
import { keyEnd, keyIs, keyStart, siblingOf, type Tape, valueEnd, valueStart } from './tape.ts'

export interface Span {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

export interface Edit {
  readonly name: string
  readonly value: Uint8Array | undefined
  /** Set once the member was found. */
  done: boolean
}

/** `tape`: the members of the object, in `from`..`to`. Removing a member takes the comma beside it along. */
export function splice(object: Span, tape: Tape, from: number, to: number, edits: readonly Edit[]): Buffer {
  // Bytes and where they start and end, to be copied once the whole length is known.
  const pieces: [Uint8Array, number, number][] = []
  let copied = object.start
  let kept = false
  let previousEnd = object.start + 1

  for (let at = from; at < to; at = siblingOf(tape, at)) {
    const end = tape[at + valueEnd]!
    const edit = findEdit(object.bytes, tape, at, edits)
    if (edit === undefined) kept = true
    else {
      edit.done = true
      if (edit.value !== undefined) {
        pieces.push([object.bytes, copied, tape[at + valueStart]!], [edit.value, 0, edit.value.length])
        copied = end
        kept = true
      } else if (kept) {
        pieces.push([object.bytes, copied, previousEnd])
        copied = end
      } else {
        const next = siblingOf(tape, at)
        pieces.push([object.bytes, copied, tape[at + keyStart]! - 1])
        copied = next < to ? tape[next + keyStart]! - 1 : end
      }
    }
    previousEnd = end
  }

  const tail = Math.max(copied, previousEnd)
  for (const { name, value, done } of edits) {
    if (done || value === undefined) continue
    const head = Buffer.from(`${kept ? ',' : ''}${quote(name)}:`)
    pieces.push([object.bytes, copied, tail], [head, 0, head.length], [value, 0, value.length])
    copied = tail
    kept = true
  }
  pieces.push([object.bytes, copied, object.end])
  return join(pieces)
}

function findEdit(bytes: Buffer, tape: Tape, at: number, edits: readonly Edit[]): Edit | undefined {
  for (const edit of edits) if (keyIs(bytes, tape[at + keyStart]!, tape[at + keyEnd]!, edit.name)) return edit
  return undefined
}

function join(pieces: readonly (readonly [Uint8Array, number, number])[]): Buffer {
  let length = 0
  for (const [, start, end] of pieces) length += end - start
  const joined = Buffer.allocUnsafe(length)
  let at = 0
  for (const [bytes, start, end] of pieces) {
    joined.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at)
    at += end - start
  }
  return joined
}
