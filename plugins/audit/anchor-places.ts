// The places that notes are anchored in: a file that only grows, and a web address.
import { open } from 'node:fs/promises'

/** A place to keep notes in. `deliver` rejects where it is not known to have the note. */
export interface Place {
  /** For messages: without what may be secret in it. */
  readonly name: string
  deliver(note: string, signal: AbortSignal): Promise<void>
}

const TIMEOUT_MS = 10_000

/** Behind one another, an empty line between them, each with fsync. */
export function appendToFile(path: string): Place {
  return {
    name: path,
    async deliver(note) {
      const file = await open(path, 'a+', 0o600)
      try {
        const { size } = await file.stat()
        const last = Buffer.alloc(1)
        if (size > 0) await file.read(last, 0, 1, size - 1)
        // What a crash cut off must not become part of the next note.
        const isCut = size > 0 && last.toString() !== '\n'
        await file.appendFile(`${isCut ? '\n' : ''}${note}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
    },
  }
}

/** POST, the note as text/plain; any 2xx is a yes, and no redirect is followed. */
export function postTo({
  webhook,
  headers = {},
}: {
  readonly webhook: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}): Place {
  const { origin, pathname } = new URL(webhook)
  return {
    name: origin + pathname,
    async deliver(note, signal) {
      const { request } = await import('undici')
      const { statusCode, body } = await request(webhook, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
        body: note,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      await body.dump()
      if (statusCode < 200 || statusCode > 299) throw new Error(`answered ${statusCode}`)
    },
  }
}
