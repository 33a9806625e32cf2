// What a client keeps for us: cursors, states of rounds, ids of tasks. Encrypted, authenticated, and good only for whom and what they were made.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { Clock, JsonValue, Log } from '../plugin/index.ts'

/** What a handle stands for: one of one kind opens nothing of another. */
export type HandleKind = 'cursor' | 'round' | 'task'

export interface Handles {
  /** `scope` is everything that the handle is bound to. `forMs`: how long it is good; for ever without it. Of one task it is the same each time. */
  seal(kind: HandleKind, scope: string, content: JsonValue, forMs?: number): string
  /** The content, or undefined where it was not made here, for this kind and scope, or is too old. */
  open(kind: HandleKind, scope: string, handle: string): JsonValue | undefined
}

export interface HandlesOptions {
  /** Called once, when the first handle is made or opened. */
  loadKey(): Uint8Array
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Log, 'warn'>
}

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** A longer text is none of ours: nothing is decoded. */
export const MAX_HANDLE: number = 256 * 1024

export function createHandles({ loadKey, clock, log }: HandlesOptions): Handles {
  let key: Uint8Array | undefined

  function keyNow(): Uint8Array {
    if (key !== undefined) return key
    try {
      key = loadKey()
    } catch (error) {
      // What is sealed with a key of this run opens in this run.
      log.warn('no key could be kept: what clients hold of ours is good until the gateway stops', { error: String(error) })
      key = randomBytes(32)
    }
    return key
  }

  return {
    seal(kind, scope, content, forMs) {
      const until = forMs === undefined ? 0 : clock.now() + forMs
      const text = JSON.stringify([until, content])
      const bound = boundTo(kind, scope)
      // Invariant: a nonce that is not random belongs to one scope and content alone.
      const nonce = kind === 'task' ? macOf(keyNow(), bound, text) : randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyNow(), nonce)
      cipher.setAAD(bound)
      const sealed = [cipher.update(text), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat([Buffer.of(VERSION), nonce, ...sealed]).toString('base64url')
    },

    open(kind, scope, handle) {
      if (handle.length > MAX_HANDLE) return undefined
      const bytes = Buffer.from(handle, 'base64url')
      // Decoding is lenient: several texts give the same bytes, and only one of them is ours.
      if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== handle) return undefined
      const decipher = createDecipheriv('aes-256-gcm', keyNow(), bytes.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(boundTo(kind, scope))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()
        const [until, content] = JSON.parse(text) as [number, JsonValue]
        return until !== 0 && until < clock.now() ? undefined : content
      } catch {
        return undefined
      }
    },
  }
}

function macOf(key: Uint8Array, bound: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(`nonce\0${bound.length}\0`).update(bound).update(text).digest().subarray(0, NONCE_BYTES)
}

/** Invariant: no kind holds what separates it from the scope. */
function boundTo(kind: HandleKind, scope: string): Buffer {
  return Buffer.from(`${VERSION}\0${kind}\0${scope}`)
}
