// Keeps the values that were injected into servers from leaving the gateway, in whatever spelling a server echoes them.
import { minSecretBytes, spell } from './forms.ts'
import { compileScreen, type Screen } from './screen.ts'
import { isJsonText, mapScalars, unescapeJson } from './strings.ts'

// JSON text inside a JSON string inside a JSON string: deeper nests are cleaned as plain text.
const maxLevels = 3
// A token of kilobytes is worth nothing without its end, and that is all that is looked for: what stands before it goes with it.
const tailLength = 64
const ofToken = /[\w.~+/=%-]/
const longestToken = 64 * 1024

/**
 * `scrub` and `scrubText` replace each known value by `[SECRET server]`: raw, JSON-escaped (also `\uXXXX`, also JSON within JSON), base64 at
 * any alignment in both alphabets, percent-encoded, and hex. JSON stays JSON. What is clean comes back as the same object.
 */
export class KnownSecrets {
  readonly #servers = new Map<string, string>()
  readonly #marks = new Map<string, Mark>()
  /** Ends of tokens, with how many hold each. */
  readonly #held = new Map<string, number>()
  #screen: Screen | undefined
  #escapes: readonly Buffer[] = []

  /** False where `value` has fewer than 8 bytes: it is not looked for, as it would shred ordinary text; the caller warns. */
  add(server: string, value: string): boolean {
    if (Buffer.byteLength(value) < minSecretBytes) return false
    if (this.#servers.has(value)) return true
    this.#servers.set(value, server)
    this.#mark(server, value, false)
    return true
  }

  /** A token that is good for a while: looked for until what is returned is called. Tokens of fewer than 8 bytes are not looked for. */
  hold(server: string, token: string): () => void {
    const tail = token.slice(-tailLength)
    if (Buffer.byteLength(tail) < minSecretBytes || this.#servers.has(token)) return () => {}
    const held = this.#held.get(tail) ?? 0
    this.#held.set(tail, held + 1)
    if (held === 0) this.#mark(server, tail, token.length > tailLength)
    let isHeld = true
    return () => {
      if (isHeld) this.#release(tail)
      isHeld = false
    }
  }

  #release(tail: string): void {
    const left = this.#held.get(tail)! - 1
    if (left > 0) return void this.#held.set(tail, left)
    this.#held.delete(tail)
    for (const form of spell(tail)) if (this.#marks.get(form)?.of === tail) this.#marks.delete(form)
    this.#screen = undefined
  }

  #mark(server: string, of: string, isTail: boolean): void {
    const text = `[SECRET ${server.replace(/[^\w.-]/g, '_')}]`
    for (const form of spell(of)) if (!this.#marks.has(form)) this.#marks.set(form, { text, of, isTail })
    this.#screen = undefined
  }

  scrub(bytes: Uint8Array): Uint8Array {
    if (this.#marks.size === 0 || !this.#isSuspect(bytes)) return bytes
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    const cleaned = this.#clean(text)
    return cleaned === text ? bytes : Buffer.from(cleaned)
  }

  scrubText(text: string): string {
    if (this.#marks.size === 0 || !this.#isSuspect(Buffer.from(text))) return text
    return this.#clean(text)
  }

  /** Cheap and without false negatives: a spelling occurs, or an escape that could hide one. */
  #isSuspect(bytes: Uint8Array): boolean {
    this.#screen ??= this.#compile()
    if (this.#screen(bytes)) return true
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#escapes.some(sequence => buffer.includes(sequence))
  }

  #compile(): Screen {
    const values = [...this.#servers.keys(), ...this.#held.keys()]
    // `\u00..` spells ASCII; other escapes matter only to values that are not ASCII, `\/` only to those with a slash.
    const escapes = [values.some(value => /[\u0080-\uffff]/.test(value)) ? '\\u' : '\\u00']
    if (values.some(value => value.includes('/'))) escapes.push('\\/')
    this.#escapes = escapes.map(sequence => Buffer.from(sequence))
    return compileScreen([...this.#marks.keys()].map(form => Buffer.from(form)))
  }

  #clean(text: string): string {
    let seen = text
    for (let level = 0; level <= maxLevels; level++) {
      if (this.#occurs(seen)) return this.#cleanAt(text, 0)
      const inner = unescapeJson(seen)
      if (inner === seen) break
      seen = inner
    }
    return text
  }

  #occurs(text: string): boolean {
    return this.#screen!(Buffer.from(text))
  }

  #cleanAt(text: string, level: number): string {
    if (level < maxLevels && isJsonText(text)) return mapScalars(text, scalar => this.#cleanAt(scalar, level + 1))
    return this.#cleanPlain(text)
  }

  /** Plain text that quotes JSON, a log line say: its escapes are undone only where they hid a value. */
  #cleanPlain(text: string): string {
    const plain = this.#replace(text)
    let seen = plain
    for (let level = 0; level < maxLevels; level++) {
      const inner = unescapeJson(seen)
      if (inner === seen) break
      if (this.#occurs(inner)) return this.#cleanPlain(inner)
      seen = inner
    }
    return plain
  }

  #replace(text: string): string {
    const found: { start: number; end: number; mark: string }[] = []
    for (const [form, { text: mark, isTail }] of this.#marks) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
        found.push({ start: isTail ? startOfToken(text, at) : at, end: at + form.length, mark })
      }
    }
    if (found.length === 0) return text
    found.sort((a, b) => a.start - b.start || b.end - a.end)
    let out = ''
    let done = 0
    for (const { start, end, mark } of found) {
      // Overlapping finds make one hole, so that no rest of the longer value stays.
      if (start >= done) out += text.slice(done, start) + mark
      done = Math.max(done, end)
    }
    return out + text.slice(done)
  }
}

interface Mark {
  readonly text: string
  /** The value that it is a spelling of. */
  readonly of: string
  readonly isTail: boolean
}

function startOfToken(text: string, tail: number): number {
  let start = tail
  while (start > 0 && tail - start < longestToken && ofToken.test(text[start - 1]!)) start--
  return start
}
