// How what users give, and their visits that are under way, are sealed: unreadable without the key, and good in their own place alone.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

export interface UserToken {
  readonly access: string
  /** Ms since 1970. */
  readonly goodUntil: number
  readonly refresh?: string | undefined
  /** When the user authorised the gateway; ms since 1970. Tokens of earlier versions do not say it. */
  readonly since?: number | undefined
  /** What was granted, or else asked for. */
  readonly scope?: string | undefined
}

/** What is sealed: whose it is stands nowhere else. */
export interface Entry {
  readonly server: string
  readonly owner: string
  readonly token: UserToken
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Keyed: names of principals could be guessed from a plain hash, and whoever reads an id of a visit could open its link.
 * Invariant: neither a kind nor an id of a server holds what separates them.
 */
export function idOf(key: Uint8Array, kind: 'user-token' | 'visit' | 'visitor', ...names: readonly string[]): string {
  return createHmac('sha256', key)
    .update([kind, ...names].join('\0'))
    .digest('base64url')
}

/** By which others with the same key know it; it gives nothing of it away. */
export function proofOf(key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update('proof of the key').digest()
}

/** `id`: of `idOf`, where it is to lie. */
export function seal(key: Uint8Array, id: string, content: object): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(id))
  return Buffer.concat([nonce, cipher.update(JSON.stringify(content)), cipher.final(), cipher.getAuthTag()])
}

/** Undefined where it was made under another key, or for another place: it is nobody's, and is authorised anew. */
export function unseal<T extends object>(key: Uint8Array, id: string, sealed: unknown): T | undefined {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(id))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()) as T
  } catch {
    return undefined
  }
}
