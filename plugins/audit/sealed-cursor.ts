// How far a reader of one tenant is, as a text of which only the gateway can make something: a place in the log would tell how much all the others do.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export interface CursorSeal {
  seal(cursor: string): string
  /** Undefined where it was not sealed by this key. */
  open(text: string): string | undefined
}

const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
/** All of them are as long, up to a multiple: a longer number would tell something, too. */
const PIECE = 64

/** `master`: the key beside the log. */
export function createCursorSeal(master: Uint8Array): CursorSeal {
  const key = new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), 'mcpgw audit cursor', 32))
  return {
    seal(cursor) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(ALGORITHM, key, nonce)
      const text = cipher.update(cursor.padEnd(Math.ceil(cursor.length / PIECE) * PIECE), 'utf8')
      cipher.final()
      return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
    },
    open(text) {
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length < NONCE + TAG) return undefined
      try {
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE))
        decipher.setAuthTag(bytes.subarray(-TAG))
        return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()])
          .toString()
          .trimEnd()
      } catch {
        return undefined
      }
    },
  }
}
