// The strict scan that every message passes before anything else reads it: one pass, no recursion, no value is built.
import { isUtf8 } from 'node:buffer'
import { findDuplicate, keySize } from './duplicates.ts'
import { prepareStrings, releaseStrings, scanLiteral, scanNumber, scanString, special } from './lexemes.ts'
import { decodeString, entrySize, keyEnd, keyStart, nextEntry, type Tape, valueEnd, valueStart } from './tape.ts'

/** `bytes`: length of the text. `depth`: nested containers, at most 1024. `keys`: members of all objects together. */
export interface JsonLimits {
  readonly bytes: number
  readonly depth: number
  readonly keys: number
}

/** `offset` in bytes. */
export type JsonFault = {
  readonly code: 'parse-error' | 'too-large' | 'too-deep'
  readonly offset: number
  readonly message: string
}

export interface Scanned {
  readonly start: number
  readonly end: number
  /** Members of the first three levels of objects, undefined where the value is no object or has too many. */
  readonly tape: Tape | undefined
}

export const deepest = 1024
const recordedDepth = 3
const tapeRoom = 512 * entrySize
// The hash only has to be unpredictable; that it cannot be made quadratic is the business of findDuplicate.
const seed = (Math.random() * 0x1_0000_0000) | 0

// Invariant: the scan is synchronous and calls nobody who scans, so that one set of scratch memory is enough.
const frames = {
  inObject: new Uint8Array(deepest),
  recording: new Uint8Array(deepest),
  member: new Int32Array(deepest),
  firstKey: new Int32Array(deepest),
}
const tape: number[] = Array.from({ length: tapeRoom }, () => 0)
let keys = new Int32Array(1024 * keySize)

export function scan(bytes: Buffer, limits: JsonLimits): Scanned | JsonFault {
  const length = bytes.length
  if (length > limits.bytes) return { code: 'too-large', offset: limits.bytes, message: `longer than ${limits.bytes} bytes` }
  if (!isUtf8(bytes)) return { code: 'parse-error', offset: firstInvalid(bytes), message: 'not UTF-8' }

  prepareStrings(bytes)
  const scanned = scanText(bytes, length, limits)
  releaseStrings()
  return scanned
}

function scanText(bytes: Buffer, length: number, limits: JsonLimits): Scanned | JsonFault {
  const maxDepth = Math.min(limits.depth, deepest)
  let depth = 0
  let inObject = false
  let keyTop = 0
  let keyCount = 0
  let tapeTop = 0
  // Tape position of the member whose value is being read (-1: it has none), and whether the members of this container go on the tape.
  let member = -1
  let recording = false
  let rootRecorded = false
  let i = skipSpace(bytes, 0, length)
  const start = i

  for (;;) {
    if (inObject) {
      // a key and its colon
      if (i >= length || bytes[i] !== 0x22) return unexpected(bytes, i, 'a key')
      const from = i + 1
      let hash = seed
      for (i = from; i < length; i++) {
        const byte = bytes[i]!
        if (special[byte] !== 0) break
        hash = Math.imul(hash ^ byte, 0x01000193)
      }
      let to = i
      if (i < length && bytes[i] === 0x22) i++
      else {
        i = scanString(bytes, i, length)
        if (i < 0) return badString(bytes, ~i)
        to = ~(i - 1)
        hash = hashEscaped(decodeString(bytes, from, to))
      }
      if (++keyCount > limits.keys) return { code: 'too-large', offset: from, message: `more than ${limits.keys} keys` }
      if (keyTop + keySize > keys.length) keys = grown(keys)
      keys[keyTop] = from
      keys[keyTop + 1] = to
      keys[keyTop + 2] = hash
      keyTop += keySize
      i = skipSpace(bytes, i, length)
      if (i >= length || bytes[i] !== 0x3a) return unexpected(bytes, i, 'a colon')
      i = skipSpace(bytes, i + 1, length)
      if (recording && tapeTop === tapeRoom) recording = false
      if (recording) {
        member = tapeTop
        tape[tapeTop + keyStart] = from
        tape[tapeTop + keyEnd] = to
        tape[tapeTop + valueStart] = i
        tapeTop += entrySize
      } else member = -1
    }

    // a value; an empty container falls through to its closing bracket
    const byte = i < length ? bytes[i]! : 0
    if (byte === 0x7b || byte === 0x5b) {
      if (depth === maxDepth) return { code: 'too-deep', offset: i, message: `nested deeper than ${maxDepth} levels` }
      frames.inObject[depth] = inObject ? 1 : 0
      frames.recording[depth] = recording ? 1 : 0
      frames.member[depth] = member
      frames.firstKey[depth] = keyTop
      depth++
      inObject = byte === 0x7b
      recording = inObject && depth <= recordedDepth && (depth === 1 || member >= 0)
      i = skipSpace(bytes, i + 1, length)
      if (i >= length || bytes[i] !== byte + 2) continue
    } else {
      if (byte === 0x22) {
        i = scanString(bytes, i + 1, length)
        if (i < 0) return badString(bytes, ~i)
      } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
        i = scanNumber(bytes, i, length)
        if (i < 0) return unexpected(bytes, ~i, 'a digit')
      } else {
        i = scanLiteral(bytes, i, length)
        if (i < 0) return unexpected(bytes, ~i, 'a value')
      }
      if (member >= 0) closeEntry(member, i, tapeTop)
    }

    // what follows a value
    for (;;) {
      const end = i
      i = skipSpace(bytes, i, length)
      if (depth === 0) {
        if (i < length) return unexpected(bytes, i, 'the end')
        return { start, end, tape: rootRecorded ? tape.slice(0, tapeTop) : undefined }
      }
      const next = i < length ? bytes[i]! : 0
      if (next === 0x2c) {
        i = skipSpace(bytes, i + 1, length)
        break
      }
      if (next !== (inObject ? 0x7d : 0x5d)) return unexpected(bytes, i, inObject ? 'a comma or }' : 'a comma or ]')
      i++
      depth--
      if (inObject) {
        const twin = findDuplicate(bytes, keys, frames.firstKey[depth]!, keyTop)
        if (twin >= 0) return { code: 'parse-error', offset: keys[twin]!, message: 'duplicate key' }
        keyTop = frames.firstKey[depth]!
      }
      member = frames.member[depth]!
      if (member >= 0) closeEntry(member, i, recording ? tapeTop : ~tapeTop)
      if (depth === 0) rootRecorded = recording
      recording = frames.recording[depth] === 1
      inObject = frames.inObject[depth] === 1
    }
  }
}

function closeEntry(member: number, end: number, next: number): void {
  tape[member + valueEnd] = end
  tape[member + nextEntry] = next
}

function skipSpace(bytes: Buffer, at: number, length: number): number {
  let i = at
  while (i < length) {
    const byte = bytes[i]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    i++
  }
  return i
}

function hashEscaped(key: string): number {
  let hash = seed
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

function grown(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2)
  to.set(from)
  return to
}

function unexpected(bytes: Buffer, offset: number, wanted: string): JsonFault {
  if (offset >= bytes.length) return { code: 'parse-error', offset: bytes.length, message: 'unexpected end' }
  if (offset === 0 && bytes[0] === 0xef) return { code: 'parse-error', offset, message: 'byte order mark' }
  return { code: 'parse-error', offset, message: `expected ${wanted}` }
}

function badString(bytes: Buffer, offset: number): JsonFault {
  if (offset >= bytes.length) return { code: 'parse-error', offset: bytes.length, message: 'unexpected end' }
  const control = bytes[offset]! < 0x20
  return { code: 'parse-error', offset, message: control ? 'control character in a string' : 'bad escape or lone surrogate' }
}

/** Where the first byte lies that decoding would replace. */
function firstInvalid(bytes: Buffer): number {
  const replaced = Buffer.from(bytes.toString())
  let i = 0
  while (i < bytes.length && bytes[i] === replaced[i]) i++
  return i
}
