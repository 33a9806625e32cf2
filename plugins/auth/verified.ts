// Tokens that were verified, by digest: seen again, they cost a hash and a lookup. Bounded; the token itself is not kept.
import { createHash } from 'node:crypto'

export interface Verified<T> {
  get(digest: string): T | undefined
  set(digest: string, value: T): void
  delete(digest: string): void
  readonly size: number
}

/** Invariant: a whole SHA-256, so that no other token is taken for one that was verified. */
export function digestToken(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

/** Where `most` are there, the one that was not asked for longest goes. */
export function createVerified<T>(most: number): Verified<T> {
  const entries = new Map<string, T>()
  return {
    get(digest) {
      const value = entries.get(digest)
      if (value === undefined) return undefined
      entries.delete(digest)
      entries.set(digest, value)
      return value
    },
    set(digest, value) {
      entries.delete(digest)
      if (entries.size >= most) entries.delete(entries.keys().next().value as string)
      entries.set(digest, value)
    },
    delete: digest => void entries.delete(digest),
    get size() {
      return entries.size
    },
  }
}
