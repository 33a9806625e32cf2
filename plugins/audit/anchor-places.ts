// The places that notes are anchored in: a file that only grows, a web address, a receiver of syslog, and an object store that overwrites nothing.
import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Clock } from 'mcpgw/plugin'
import { showAddress } from './addresses.ts'
import type { AnchorConfig } from './anchor-settings.ts'
import { frameNote } from './exports/rfc5424.ts'
import { type SyslogOptions, send } from './exports/syslog.ts'
import { nameOfPlace, type S3Place, s3Place } from './s3.ts'

/** A place to keep notes in. `deliver` rejects where it is not known to have the note. */
export interface Place {
  /** For messages: without what may be secret in it. */
  readonly name: string
  deliver(note: string, signal: AbortSignal): Promise<void>
}

export interface Surroundings {
  readonly clock: Pick<Clock, 'now'>
  /** Name of this gateway, as others see it. */
  readonly host: string
  resolve(path: string): string
}

const TIMEOUT_MS = 10_000

export function placeOf(config: AnchorConfig, { clock, host, resolve }: Surroundings): Place {
  if ('file' in config) return appendToFile(resolve(config.file))
  if ('webhook' in config) return postTo(config)
  if ('s3' in config) return putInto(s3Place(config.s3, clock))
  const { ca, ...receiver } = config.syslog
  return sendTo({ ...receiver, ca: ca && resolve(ca), host })
}

/** Of one that is no file. */
export function nameOf(config: Exclude<AnchorConfig, { readonly file: string }>): string {
  if ('webhook' in config) return showAddress(config.webhook)
  return 's3' in config ? nameOfPlace(config.s3) : config.syslog.url
}

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
  return {
    name: showAddress(webhook),
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

/** One message for each, of which the text is as in an exported log. It counts once the receiver has read it. */
export function sendTo(receiver: SyslogOptions): Place {
  return { name: receiver.url, deliver: (note, signal) => send(receiver, frameNote(note, momentOf(note), receiver), signal) }
}

/** One object for each, `ORIGIN/AT-DIGEST.txt`: they list in the order of time. The digest: 32 hex digits of SHA-256 of the note. */
export function putInto({ name, put }: S3Place): Place {
  return {
    name,
    deliver(note, signal) {
      const [origin] = note.split('\n', 1)
      const key = `${origin}/${String(momentOf(note)).padStart(16, '0')}-${hash('sha256', note, 'hex').slice(0, 32)}.txt`
      return put({ key, body: Buffer.from(note), contentType: 'text/plain; charset=utf-8' }, signal)
    },
  }
}

/** When a checkpoint was signed, as it says itself: ms since 1970. */
const momentOf = (note: string): number => Number(/^at (\d{1,16})$/m.exec(note)?.[1] ?? 0)
