// What a key is: `mgk_`, a public id that lists and records name, and 256 random bits that nobody but the caller keeps.
import { createHmac, type KeyObject, randomBytes, randomInt } from 'node:crypto'

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
export const keyIdLength = 8

export interface MintedKey {
  readonly id: string
  readonly key: string
}

export function mintKey(): MintedKey {
  const id = Array.from({ length: keyIdLength }, () => idAlphabet[randomInt(idAlphabet.length)]).join('')
  return { id, key: `mgk_${id}_${randomBytes(32).toString('base64url')}` }
}

/** Whether it has the form of a key that `mintKey` made. */
export function isMinted(key: string): boolean {
  return /^mgk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/.test(key)
}

/** The public id in `id`, `mgk_id` or a whole key; undefined where it is none of these. */
export function readKeyId(text: string): string | undefined {
  return /^(?:mgk_)?([a-z0-9]{8})(?:_[A-Za-z0-9_-]+)?$/.exec(text)?.[1]
}

/** The only form in which a key is kept: without the pepper it can neither be made nor tried out. 32 bytes. */
export function digestKey(pepper: KeyObject, key: string): Buffer {
  return createHmac('sha256', pepper).update(key).digest()
}
