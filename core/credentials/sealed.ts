// How what users give is sealed: unreadable without the key, and good in its own place alone.
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

/** Keyed: names of principals could be guessed from a plain hash. Invariant: no id of a server holds what separates it. */
export function idOf(key: Uint8Array, server: string, owner: string): string {
  return createHmac('sha256', key).update(`user-token\0${server}\0${owner}`).digest('base64url')
}

/** By which others with the same key know it; it gives nothing of it away. */
export function proofOf(key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update('proof of the key').digest()
}

export function seal(key: Uint8Array, entry: Entry): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(idOf(key, entry.server, entry.owner)))
  return Buffer.concat([nonce, cipher.update(JSON.stringify(entry)), cipher.final(), cipher.getAuthTag()])
}

/** Undefined where it was made under another key, or for somebody else: it is nobody's, and is authorised anew. */
export function unseal(key: Uint8Array, id: string, sealed: unknown): Entry | undefined {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(id))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()) as Entry
  } catch {
    return undefined
  }
}
