// What a remote server with sessions (revisions up to 2025-11-25) knows us by: the session's id, its standing stream, its end.
import type { Log } from '../../plugin/index.ts'
import type { Sender } from './authorized.ts'
import { type GetStream, type GetStreamOptions, openGetStream, type Place } from './get-stream.ts'
import { type Headers, streamHeaders } from './http-headers.ts'

export interface HttpSession {
  readonly id: string | undefined
  /** Of all that is sent in it. */
  readonly headers: Headers
  /** The server has named it. */
  adopt(id: string): void
  /** It is open: from here on the server may speak outside of requests too. */
  begin(version: string): void
  /** Goes on with the stream of a request that broke off. */
  resume(events: Pick<GetStreamOptions, 'message' | 'isWanted' | 'ended'>, from: Place): GetStream
  /** Nothing more is heard of it. */
  close(): void
  /** Tells the server, after `close`, that it is not needed any more. */
  end(): Promise<void>
}

export interface HttpSessionOptions {
  readonly pool: Sender
  readonly path: string
  readonly headers: Headers
  readonly maxBytes: number
  readonly log: Log
  message(bytes: Uint8Array): void
}

const STANDING_WAITS_MS = [1000, 2000, 5000, 15_000, 30_000]
const RESUME_WAITS_MS = [1000]
const RESUME_ATTEMPTS = 5
const DELETE_MS = 1000

export function createHttpSession({ pool, path, headers: base, maxBytes, log, message }: HttpSessionOptions): HttpSession {
  let id: string | undefined
  let headers = base
  let standing: GetStream | undefined

  /** Spec: basic/transports, "Listening for Messages from the Server": a status other than success means that there is no such stream. */
  function listen(): void {
    standing = openGetStream({
      pool,
      path,
      headers,
      maxBytes,
      waitsMs: STANDING_WAITS_MS,
      attempts: Number.POSITIVE_INFINITY,
      message,
      isWanted: () => true,
      ended(why, garbage) {
        if (garbage) log.warn('bad event stream', { fault: why })
      },
    })
  }

  return {
    get id() {
      return id
    },
    get headers() {
      return headers
    },
    adopt(given) {
      id = given
      headers = { ...headers, 'mcp-session-id': given }
    },
    begin(version) {
      headers = { ...headers, 'mcp-protocol-version': version }
      listen()
    },
    resume: (events, from) =>
      openGetStream({ pool, path, headers, maxBytes, from, waitsMs: RESUME_WAITS_MS, attempts: RESUME_ATTEMPTS, ...events }),
    close() {
      standing?.close()
      standing = undefined
    },
    async end() {
      if (id !== undefined) await endSession(pool, path, streamHeaders(headers))
    },
  }
}

async function endSession(pool: Sender, path: string, headers: Headers): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, DELETE_MS)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    pool.dispatch(
      { path, method: 'DELETE', headers: headers as Record<string, string> },
      { onRequestStart() {}, onResponseStart() {}, onResponseData() {}, onResponseEnd: done, onResponseError: done },
    )
  })
}
