// Base64 and hex within texts: what decodes to text is looked at; what does not (pictures, hashes, identifiers) is left alone.
import { isUtf8 } from 'node:buffer'
import type { Range } from './detector.ts'
import { type At, candidatesOf, isMember, nextRun, shortest } from './runs.ts'

export type Code = 'base64' | 'base64url' | 'hex'

/** A stretch of a text that is text in another code. */
export interface Encoded extends Range {
  readonly code: Code
  readonly decoded: string
}

const probe = 256
const backslash = 0x5c
const slash = 0x2f
const equals = 0x3d

/** Every such stretch, its padding included, in order; none overlaps another. */
export function findEncoded(text: string): readonly Encoded[] {
  if (text.length < shortest) return []
  const at: At = i => text.charCodeAt(i)
  const found: Encoded[] = []
  for (let run = nextRun(at, text.length, 0); run !== undefined; run = nextRun(at, text.length, run.end)) {
    for (const { start, end } of candidatesOf(at, run, at(run.start - 1) === backslash)) {
      const decoded = decode(text.slice(start, end))
      if (decoded === undefined) continue
      let tail = end
      while (tail < end + 2 && at(tail) === equals) tail++
      found.push({ ...decoded, start, end: tail })
    }
  }
  return found
}

/** False only where no string of this JSON text has such a stretch. What escapes hide, but for that of a slash, the screen suspects. */
export function mayHoldEncoded(json: Uint8Array): boolean {
  const at: At = i => json[i]!
  for (let run = nextRun(at, json.length, 0); run !== undefined; run = nextRun(at, json.length, run.end)) {
    if (isSlashed(json, run)) {
      run = joinSlashed(json, run)
      const joined = slice(json, run).replaceAll('\\', '')
      if (findEncoded(joined).length > 0) return true
      continue
    }
    const candidates = candidatesOf(at, run, at(run.start - 1) === backslash)
    if (candidates.some(one => decode(slice(json, one)) !== undefined)) return true
  }
  return false
}

function isSlashed(json: Uint8Array, { start, end }: Range): boolean {
  return (json[start] === slash && json[start - 1] === backslash) || (json[end] === backslash && json[end + 1] === slash)
}

/** With what goes on behind `\/`, and before it. */
function joinSlashed(json: Uint8Array, run: Range): Range {
  let { start, end } = run
  while (json[start] === slash && json[start - 1] === backslash) {
    start--
    while (isMember(json[start - 1] ?? 0)) start--
  }
  while (json[end] === backslash && json[end + 1] === slash) {
    end += 2
    while (isMember(json[end] ?? 0)) end++
  }
  return { start, end }
}

function slice(json: Uint8Array, { start, end }: Range): string {
  return Buffer.from(json.buffer, json.byteOffset + start, end - start).toString('latin1')
}

function decode(run: string): Pick<Encoded, 'code' | 'decoded'> | undefined {
  for (const code of codesOf(run)) {
    const decoded = decodeText(run, code)
    if (decoded !== undefined) return { code, decoded }
  }
  return undefined
}

function codesOf(run: string): readonly Code[] {
  const isHex = run.length % 2 === 0 && /^(?:[0-9a-f]+|[0-9A-F]+)$/.test(run)
  const hasUrl = /[-_]/.test(run)
  if ((hasUrl && /[+/]/.test(run)) || run.length % 4 === 1) return isHex ? ['hex'] : []
  return [...(isHex ? ['hex' as const] : []), hasUrl ? 'base64url' : 'base64']
}

/** The text that a whole run stands for, padded or not; undefined where it is none. */
export function decodeText(run: string, code: Code): string | undefined {
  // A large picture is told by its first bytes.
  if (run.length > probe && !isReadable(Buffer.from(run.slice(0, probe), code))) return undefined
  const bytes = Buffer.from(run, code)
  return isReadable(bytes) && isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

function isReadable(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 ? byte !== 0x0a && byte !== 0x0d && byte !== 0x09 : byte === 0x7f) return false
  }
  return true
}

/** `text` in this code, padded and in capitals as `like` is. */
export function encodeText(text: string, code: Code, like: string): string {
  const encoded = Buffer.from(text).toString(code)
  if (code === 'hex') return /[A-F]/.test(like) ? encoded.toUpperCase() : encoded
  if (code === 'base64') return like.length % 4 === 0 ? encoded : encoded.replace(/=+$/, '')
  return like.endsWith('=') ? encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=') : encoded
}
