// When the last record of somebody has gone, their key goes, too: what is left of them in copies of the log opens no more.
import type { LogReader, LogStore, Retention } from './store/log-store.ts'
import { LEASE_MS } from './subjects.ts'

/** Until every gateway that is alive has seen the marks, or has let go of all keys. */
export const WAIT_MS: number = LEASE_MS + 1000

/** Deletes the keys that no record of the log refers to; how many. Rejects where it is stopped, and then none has gone. */
export async function forgetUnused(store: LogStore, retention: Retention, signal: AbortSignal): Promise<number> {
  const reader = await store.reader()
  try {
    const stored = (await reader.subjects()).map(({ id }) => id)
    const used = new Set<string>()
    const cursor = await gather(reader, used, signal, undefined)
    const unused = stored.filter(id => !used.has(id))
    if (unused.length === 0) return 0
    await retention.retire(unused)
    if ((await reader.openStreams()).some(({ isLive }) => isLive)) await wait(WAIT_MS, signal)
    // Whoever came back in between keeps the old key for that; from now on they are somebody new.
    await gather(reader, used, signal, cursor)
    const gone = unused.filter(id => !used.has(id))
    if (gone.length > 0) await retention.forget(gone)
    return gone.length
  } finally {
    await reader.close()
  }
}

/** Whom the records behind `cursor` refer to; a value that only looks like that keeps a key, and takes none. */
async function gather(reader: LogReader, used: Set<string>, signal: AbortSignal, cursor: string | undefined): Promise<string | undefined> {
  let end = cursor
  for await (const page of reader.forward(signal, cursor)) {
    for (const { body } of page.records)
      for (const [, id] of Buffer.from(body.buffer, body.byteOffset, body.length)
        .toString('latin1')
        .matchAll(/"subject":"([^"]+)"/g))
        used.add(id!)
    end = page.cursor
  }
  if (signal.aborted) throw new Error('stopped; no key has gone')
  return end
}

export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(new Error('stopped; no key has gone, do it once more'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop)
  })
}
