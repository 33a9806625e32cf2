// Replaces, removes and adds members of an object in its bytes; every other byte stays as it was received.
import { quote } from './serialise.ts'
import { keyEnd, keyIs, keyStart, siblingOf, type Tape, valueEnd, valueStart } from './tape.ts'

export interface Span {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

export type Edit = { readonly name: string; readonly value: Uint8Array | undefined }

/** `tape`: the members of the object, in `from`..`to`. Removing a member takes the comma beside it along. */
export function splice(object: Span, tape: Tape, from: number, to: number, edits: readonly Edit[]): Buffer {
  const pieces: Uint8Array[] = []
  const pending = new Set(edits)
  let copied = object.start
  let kept = false
  let previousEnd = object.start + 1
  const copyTo = (offset: number): void => {
    if (offset > copied) pieces.push(object.bytes.subarray(copied, offset))
  }

  for (let at = from; at < to; at = siblingOf(tape, at)) {
    const end = tape[at + valueEnd]!
    const edit = edits.find(one => keyIs(object.bytes, tape[at + keyStart]!, tape[at + keyEnd]!, one.name))
    if (edit === undefined) kept = true
    else if (edit.value !== undefined) {
      copyTo(tape[at + valueStart]!)
      pieces.push(edit.value)
      copied = end
      kept = true
    } else if (kept) {
      copyTo(previousEnd)
      copied = end
    } else {
      copyTo(tape[at + keyStart]! - 1)
      const next = siblingOf(tape, at)
      copied = next < to ? tape[next + keyStart]! - 1 : end
    }
    if (edit !== undefined) pending.delete(edit)
    previousEnd = end
  }

  const tail = Math.max(copied, previousEnd)
  for (const edit of pending) {
    if (edit.value === undefined) continue
    copyTo(tail)
    copied = tail
    pieces.push(Buffer.from(`${kept ? ',' : ''}${quote(edit.name)}:`), edit.value)
    kept = true
  }
  copyTo(object.end)
  return Buffer.concat(pieces)
}
