// The one JSON type inside the gateway: bytes that passed the strict scan, decoded only where somebody asks.
import type { JsonValue, Payload } from '../plugin/index.ts'
import { buildValue } from './json/build.ts'
import { type ReservedKeys, resembles } from './json/lookalike.ts'
import { indexItems, indexMembers } from './json/members.ts'
import { type JsonFault, type JsonLimits, scan } from './json/scan.ts'
import { serialise } from './json/serialise.ts'
import { type Edit, splice } from './json/splice.ts'
import {
  decodeString,
  entrySize,
  findEntry,
  keyEnd,
  keyIs,
  keyStart,
  nextEntry,
  siblingOf,
  type Tape,
  valueEnd,
  valueStart,
} from './json/tape.ts'

export type { JsonFault, JsonLimits } from './json/scan.ts'

export const defaultLimits: JsonLimits = { bytes: 16 * 1024 * 1024, depth: 64, keys: 200_000 }

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')

/** True for what `Json.scan` returns where the bytes are refused. */
export function isFault(scanned: Json | JsonFault): scanned is JsonFault {
  return !(scanned instanceof Json)
}

/** What a plugin hands on may be a payload of its own making: then it is serialised here. */
export function asJson(payload: Payload): Json {
  return payload instanceof Json ? payload : Json.of(payload.value)
}

/** A strictly scanned value. Whoever made one no longer writes to its bytes. */
export class Json implements Payload {
  readonly #source: Buffer
  readonly #start: number
  readonly #end: number
  // The members of this object lie in #from..#to of the tape, which is made on first use where the scan kept none.
  #tape: Tape | undefined
  #from: number
  #to: number
  #bytes: Uint8Array | undefined
  #text: string | undefined
  #value: JsonValue | undefined

  /** Use `scan` or `of`. Invariant: `start`..`end` of `source` is one valid value without white space around it. */
  private constructor(source: Buffer, start: number, end: number, tape: Tape | undefined, from: number, to: number) {
    this.#source = source
    this.#start = start
    this.#end = end
    this.#tape = tape
    this.#from = from
    this.#to = to
  }

  /** One value of RFC 8259 in UTF-8, without duplicate keys, lone surrogates or a byte order mark, within the limits. */
  static scan(bytes: Uint8Array, limits: JsonLimits = defaultLimits): Json | JsonFault {
    const source = asBuffer(bytes)
    const scanned = scan(source, limits)
    if ('code' in scanned) return scanned
    return new Json(source, scanned.start, scanned.end, scanned.tape, 0, scanned.tape?.length ?? 0)
  }

  /** Serialises. Throws for what JSON cannot say: NaN, infinity, undefined, functions, instances of classes, cycles. */
  static of(value: JsonValue): Json {
    const source = Buffer.from(serialise(value))
    return new Json(source, 0, source.length, undefined, 0, 0)
  }

  /** An array of values that are scanned already. */
  static list(items: readonly Json[]): Json {
    const parts: Uint8Array[] = []
    for (const item of items) parts.push(parts.length === 0 ? OPEN : COMMA, item.bytes)
    const source = Buffer.concat(parts.length === 0 ? [OPEN, CLOSE] : [...parts, CLOSE])
    return new Json(source, 0, source.length, undefined, 0, 0)
  }

  get bytes(): Uint8Array {
    this.#bytes ??= this.#end - this.#start === this.#source.length ? this.#source : this.#source.subarray(this.#start, this.#end)
    return this.#bytes
  }

  get text(): string {
    this.#text ??= this.#source.toString('utf8', this.#start, this.#end)
    return this.#text
  }

  get value(): JsonValue {
    if (this.#value === undefined) this.#value = buildValue(this.text)
    return this.#value
  }

  get type(): JsonType {
    switch (this.#source[this.#start]) {
      case 0x7b:
        return 'object'
      case 0x5b:
        return 'array'
      case 0x22:
        return 'string'
      case 0x74:
      case 0x66:
        return 'boolean'
      case 0x6e:
        return 'null'
      default:
        return 'number'
    }
  }

  /** The own member `key` of an object, else undefined. */
  get(key: string): Json | undefined {
    const at = this.#find(key)
    return at < 0 ? undefined : this.#member(at)
  }

  /** The member `key` decoded where it is a string, else undefined. */
  string(key: string): string | undefined {
    const at = this.#findString(key)
    if (at < 0) return undefined
    const from = this.#tape![at + valueStart]! + 1
    return decodeString(this.#source, from, stringEnd(this.#source, from, this.#tape![at + valueEnd]! - 1))
  }

  /** The member `key` where it is an object, else undefined: what a peer wrote there may be anything. */
  object(key: string): Json | undefined {
    const member = this.get(key)
    return member?.type === 'object' ? member : undefined
  }

  /** True where the member `key` is the string `text`; nothing is decoded where it is written without escapes. */
  holds(key: string, text: string): boolean {
    const at = this.#findString(key)
    if (at < 0) return false
    const from = this.#tape![at + valueStart]! + 1
    return keyIs(this.#source, from, stringEnd(this.#source, from, this.#tape![at + valueEnd]! - 1), text)
  }

  /** True for a number written without fraction and exponent, and not as -0. */
  get isInteger(): boolean {
    const negative = this.#source[this.#start] === 0x2d
    if (negative && this.#source[this.#start + 1] === 0x30) return false
    for (let i = negative ? this.#start + 1 : this.#start; i < this.#end; i++) {
      if (this.#source[i]! < 0x30 || this.#source[i]! > 0x39) return false
    }
    return true
  }

  /** Names of the members in the order of the text; empty where this is no object. */
  keys(): readonly string[] {
    const names: string[] = []
    const tape = this.#members()
    for (let at = this.#from; at < this.#to; at = siblingOf(tape, at)) {
      names.push(decodeString(this.#source, tape[at + keyStart]!, tape[at + keyEnd]!))
    }
    return names
  }

  /** Elements of an array, at most the first `most`; empty where this is none. */
  items(most: number = Number.POSITIVE_INFINITY): readonly Json[] {
    if (this.#source[this.#start] !== 0x5b) return []
    const spans = indexItems(this.#source, this.#start, most)
    const items: Json[] = []
    for (let i = 0; i < spans.length; i += 2) items.push(new Json(this.#source, spans[i]!, spans[i + 1]!, undefined, 0, 0))
    return items
  }

  /**
   * This object with members replaced in place, added at the end, or removed (undefined); the other bytes stay as they are.
   * Bytes given as an edit must be one valid JSON value. Throws where this is no object.
   */
  with(edits: Readonly<Record<string, Json | Uint8Array | undefined>>): Json {
    if (this.#source[this.#start] !== 0x7b) throw new TypeError(`a JSON ${this.type} has no members`)
    const list: Edit[] = []
    for (const name of Object.keys(edits)) {
      const edit = edits[name]
      list.push({ name, value: edit instanceof Json ? edit.bytes : edit, done: false })
    }
    const tape = this.#members()
    const bytes = splice({ bytes: this.#source, start: this.#start, end: this.#end }, tape, this.#from, this.#to, list)
    return new Json(bytes, 0, bytes.length, undefined, 0, 0)
  }

  /** The first member key that resembles a reserved one without being it: `{ key: 'Method', reserved: 'method' }`. */
  lookalike(reserved: ReservedKeys): { key: string; reserved: string } | undefined {
    const tape = this.#members()
    for (let at = this.#from; at < this.#to; at = siblingOf(tape, at)) {
      const start = tape[at + keyStart]!
      const end = tape[at + keyEnd]!
      const twin = resembles(this.#source, start, end, reserved)
      if (twin !== undefined) return { key: decodeString(this.#source, start, end), reserved: twin }
    }
    return undefined
  }

  #members(): Tape {
    if (this.#tape === undefined) {
      this.#tape = this.#source[this.#start] === 0x7b ? indexMembers(this.#source, this.#start) : []
      this.#from = 0
      this.#to = this.#tape.length
    }
    return this.#tape
  }

  #find(key: string): number {
    const tape = this.#members()
    return findEntry(this.#source, tape, this.#from, this.#to, key)
  }

  #findString(key: string): number {
    const at = this.#find(key)
    return at >= 0 && this.#source[this.#tape![at + valueStart]!] === 0x22 ? at : -1
  }

  #member(at: number): Json {
    const tape = this.#tape!
    const start = tape[at + valueStart]!
    const next = tape[at + nextEntry]!
    const known = next >= 0 && this.#source[start] === 0x7b
    return new Json(this.#source, start, tape[at + valueEnd]!, known ? tape : undefined, at + entrySize, next)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `to`, or `~to` where the string content from `from` on has escapes. */
function stringEnd(bytes: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === 0x5c) return ~to
  return to
}
