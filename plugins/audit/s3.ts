// Puts objects into an object store (S3), each once: what is there already is never overwritten, and counts only where it is the same, byte for byte.
import { hash } from 'node:crypto'
import type { Clock } from 'mcpgw/plugin'
import type { S3Config } from './s3-settings.ts'
import { explain, openStore, type S3Store } from './s3-store.ts'

export interface S3Object {
  /** Below the configured prefix. */
  readonly key: string
  readonly body: Uint8Array
  readonly contentType: string
}

export interface S3Place {
  /** `s3://BUCKET/PREFIX` */
  readonly name: string
  /** Resolves once the object is known to be there as it was given; rejects where that is not known, and where another one has its key. */
  put(object: S3Object, signal: AbortSignal): Promise<void>
}

const DAY_MS = 86_400_000

/** Loads the client at the first object, not before. */
export function s3Place(config: S3Config, clock: Pick<Clock, 'now'>): S3Place {
  const { bucket, prefix, objectLock, timeout } = config
  let opening: Promise<S3Store> | undefined

  async function put({ key, body, contentType }: S3Object, signal: AbortSignal): Promise<void> {
    opening ??= openStore(config).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    const store = await opening
    const at = { Bucket: bucket, Key: prefix + key }
    const checksum = hash('sha256', body, 'base64')
    const lock = objectLock && {
      ObjectLockMode: objectLock.mode,
      ObjectLockRetainUntilDate: new Date(clock.now() + objectLock.days * DAY_MS),
    }
    // Of an attempt whose answer was lost, or of a gateway that was killed before it noted how far it had come.
    const isThere = (error: unknown): undefined => {
      if (statusOf(error) !== 412) throw error
    }
    const answer = await store
      .put({ ...at, ...lock, Body: body, ContentType: contentType, ChecksumSHA256: checksum, IfNoneMatch: '*' }, signal)
      .catch(isThere)
    // An answer without the checksum may come from anybody on the way, or from a store that knows none.
    if (answer?.ChecksumSHA256 === checksum) return
    if (!(await isSame(await store.get(at, signal), body))) throw new Error(`another object has the key ${at.Key}; it was not overwritten`)
  }

  return {
    name: nameOfPlace(config),
    put: (object, signal) =>
      within(timeout, signal, limit => put(object, limit)).catch((error: unknown) => {
        throw explain(error, clock)
      }),
  }
}

export const nameOfPlace = ({ bucket, prefix }: Pick<S3Config, 'bucket' | 'prefix'>): string => `s3://${bucket}/${prefix}`

const statusOf = (error: unknown): unknown => (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode

/** Reads no more of what is there than it takes to tell. */
async function isSame(chunks: AsyncIterable<Uint8Array>, expected: Uint8Array): Promise<boolean> {
  let at = 0
  for await (const chunk of chunks) {
    if (Buffer.compare(chunk, expected.subarray(at, at + chunk.length)) !== 0) return false
    at += chunk.length
  }
  return at === expected.length
}

/** Ends in time also where what is waited for cannot be stopped, as a look for credentials. */
async function within(ms: number, signal: AbortSignal, run: (limit: AbortSignal) => Promise<void>): Promise<void> {
  const limit = new AbortController()
  const over = new Promise<never>((_, reject) => limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error)))
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${ms} ms`)), ms)
  const stop = (): void => limit.abort(new Error('stopped'))
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    await Promise.race([over, run(limit.signal)])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
