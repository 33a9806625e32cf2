// Streamable HTTP to a remote server: one POST a message. Up to 2025-11-25 in a session with streams of its own; from 2026-07-28 on without.
import { isModernVersion } from '../../mcp/modern.ts'
import type { Log } from '../../plugin/index.ts'
import { Slots } from '../../slots.ts'
import type { Behalf } from '../behalf.ts'
import type { Transport, TransportEvents, TransportFault } from '../transport.ts'
import { createAuthorized, type Sender } from './authorized.ts'
import { CredentialFault, type CredentialSource, type RequestSigner } from './credential.ts'
import type { Dialer } from './dialer.ts'
import { baseHeaders, type Headers, withMirrored } from './http-headers.ts'
import { Post, type PostOwner } from './http-post.ts'
import { createHttpSession, type HttpSession } from './http-session.ts'
import { createPostbox } from './postbox.ts'
import { createSigned } from './signed.ts'

export interface HttpTransportOptions {
  readonly url: URL
  /** Sent with every request to this url's origin, and nowhere else. */
  readonly headers: Headers
  /** Obtained by the gateway for this server; sent likewise. */
  readonly credential?: CredentialSource | RequestSigner | undefined
  readonly maxBytes: number
  readonly dialer: Dialer
  readonly log: Log
}

/** Invariant: what is sent with it goes to the configured origin. */
export async function senderOf({ dialer, url, credential }: Pick<HttpTransportOptions, 'dialer' | 'url' | 'credential'>): Promise<Sender> {
  const pool = await dialer.pool(url)
  if (credential === undefined) return pool
  if ('sign' in credential) {
    try {
      credential.check()
    } catch (error) {
      throwFault(error)
    }
    return createSigned(pool, credential)
  }
  // Nothing is tried where none can be had, and the reason is told as it is.
  await credential.of(undefined).obtain().catch(throwFault)
  return createAuthorized(pool, credential)
}

function throwFault(error: unknown): never {
  throw error instanceof CredentialFault ? error.fault : error
}

export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { url, maxBytes, log } = options
  const path = url.pathname + url.search
  const base = baseHeaders(options.headers)
  let events: TransportEvents
  let pool: Sender
  let session: HttpSession
  let isSettled = false
  /** Of what is sent outside of any session. */
  let loose = base
  let isStateless = false
  let closed = false
  let ended = false
  const running = new Slots<Post>()
  const postbox = createPostbox({ origin: url.origin, maxBytes, log, post: message => post(message, undefined, undefined, undefined) })

  const owner: PostOwner = {
    maxBytes,
    message: (bytes, during) => events.message(bytes, during),
    failed(id, fault) {
      if (!closed) events.failed(id, fault)
    },
    awaits: id => events.awaits?.(id) !== false,
    offered({ about }, status, id) {
      // Spec: 2025-11-25 basic/transports, "Session Management": at initialization. A server that has refused a question of ours has none.
      if (!isSettled && !about.isStateless && status < 400 && session.id === undefined) session.adopt(id)
    },
    lost(post) {
      // The others under way find out for themselves: each gets its own refusal and may be made again.
      post.fail({ code: 'upstream-unavailable', detail: 'the server does not know the session any more', undelivered: true })
      if (closed || ended) return
      ended = true
      session.close()
      events.ended?.({ code: 'upstream-crashed', detail: 'session lost' })
    },
    settled({ slot, about }, status) {
      running.remove(slot)
      if (about.id !== undefined) return
      if (status >= 400) log.debug('server refused a notification', { status })
      postbox.acknowledged()
    },
    resume: (about, from) => session.resume(about, from),
  }

  function post(body: Uint8Array, id: number | undefined, mirrored: Headers | undefined, behalf: Behalf | undefined): void {
    const isLoose = mirrored !== undefined || isStateless
    const one = new Post({ id, session: isLoose ? undefined : session.id, isStateless: isLoose }, owner)
    one.slot = running.add(one)
    one.send(pool, path, mirrored !== undefined ? withMirrored(base, mirrored) : isLoose ? loose : session.headers, body, behalf)
  }

  function close(fault: TransportFault): void {
    if (closed) return
    closed = true
    postbox.clear()
    session?.close()
    for (const one of running.all()) one.stop()
    events?.closed(fault)
  }

  return {
    async open(given) {
      events = given
      pool = await senderOf(options)
      session = createHttpSession({ pool, path, headers: base, maxBytes, log, message: bytes => events.message(bytes, undefined) })
    },
    send(message, about) {
      if (closed) return
      if (about.kind === 'request') post(message, about.id, about.headers, about.behalf)
      else postbox.push(message)
    },
    negotiated(version) {
      isSettled = true
      isStateless = isModernVersion(version)
      if (isStateless) loose = { ...base, 'mcp-protocol-version': version }
      else session.begin(version)
    },
    abandon(id) {
      running.find(one => one.about.id === id)?.abandon()
    },
    endsToCancel: true,
    get backedUp() {
      return false
    },
    async close() {
      if (closed) return
      close({ code: 'upstream-unavailable', detail: 'closed' })
      await session?.end()
    },
  }
}
