// What is kept, in memory only: bounded in number and bytes; what was not asked for longest goes first.
import type { JsonValue } from 'mcpgw/plugin'

export interface Entry {
  readonly bytes: Uint8Array
  readonly isError: boolean
  /** Of the result, where it has one: something may be added to it. */
  readonly meta: JsonValue | undefined
  /** The server said how long it may be kept: then whoever gets it is told how much of that is left. */
  readonly isHinted: boolean
  /** Monotonic, ms. */
  readonly at: number
  readonly freshUntil: number
  /** From `freshUntil` to here it stands in for a server that cannot be reached. */
  readonly staleUntil: number
}

export type Gone = 'full' | 'ended'

/** For a key, an entry and their places, beside the bytes of the answer. */
const OVERHEAD = 400

export class Shelf {
  readonly #entries = new Map<string, Entry>()
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #onGone: (why: Gone) => void
  #bytes = 0

  constructor({ maxEntries, maxBytes }: { readonly maxEntries: number; readonly maxBytes: number }, onGone: (why: Gone) => void) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#onGone = onGone
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whatever has not ended, fresh or not. */
  find(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (now >= entry.staleUntil) {
      this.#bytes -= sizeOf(entry)
      this.#onGone('ended')
      return undefined
    }
    this.#entries.set(key, entry)
    return entry
  }

  /** False where it is larger than all there is room for. */
  keep(key: string, entry: Entry): boolean {
    const size = sizeOf(entry)
    if (size > this.#maxBytes) return false
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    this.#entries.set(key, entry)
    this.#bytes += size
    for (const [oldest, one] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break
      this.#drop(oldest, one)
      this.#onGone('full')
    }
    return true
  }

  /** What has ended goes, asked for or not. */
  sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (now < entry.staleUntil) continue
      this.#drop(key, entry)
      this.#onGone('ended')
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= sizeOf(entry)
  }
}

function sizeOf({ bytes }: Entry): number {
  return bytes.length + OVERHEAD
}
