// Keeps the values that were injected into servers from leaving the gateway, in whatever spelling a server echoes them.
import { minSecretBytes, spell } from './forms.ts'
import { compileScreen, type Screen } from './screen.ts'
import { isJsonText, mapScalars, unescapeJson } from './strings.ts'

// JSON text inside a JSON string inside a JSON string: deeper nests are cleaned as plain text.
const maxLevels = 3

/**
 * `scrub` and `scrubText` replace each known value by `[SECRET server]`: raw, JSON-escaped (also `\uXXXX`, also JSON within JSON), base64 at
 * any alignment in both alphabets, percent-encoded, and hex. JSON stays JSON. What is clean comes back as the same object.
 */
export class KnownSecrets {
  readonly #servers = new Map<string, string>()
  readonly #marks = new Map<string, string>()
  #screen: Screen | undefined
  #escapes: readonly Buffer[] = []

  /** False where `value` has fewer than 8 bytes: it is not looked for, as it would shred ordinary text; the caller warns. */
  add(server: string, value: string): boolean {
    if (Buffer.byteLength(value) < minSecretBytes) return false
    if (this.#servers.has(value)) return true
    this.#servers.set(value, server)
    const mark = `[SECRET ${server.replace(/[^\w.-]/g, '_')}]`
    for (const form of spell(value)) if (!this.#marks.has(form)) this.#marks.set(form, mark)
    this.#screen = undefined
    return true
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
    const values = [...this.#servers.keys()]
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
    for (const [form, mark] of this.#marks) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) found.push({ start: at, end: at + form.length, mark })
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
