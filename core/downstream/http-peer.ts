// The network party of an HTTP connection, and the checks that stand before any body is read.
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { ErrorCode } from '../errors.ts'
import { CALLER } from '../mcp/caller.ts'
import type { Peer, PeerCertificate, PeerRequest } from '../plugin/index.ts'
import type { ClientAddress } from './client-address.ts'

const NONE: readonly string[] = Object.freeze([])

interface Said {
  readonly rawHeaders?: readonly string[]
  readonly path?: string | undefined
  readonly certificate?: PeerCertificate | undefined
  readonly method?: string | undefined
  /** Of the request line. */
  readonly target?: string | undefined
}

const NO_BODY = hash('sha256', '', 'base64url')

/** More than any client sends; each costs something in every check. */
const MAX_HEADERS = 100

export class HttpPeer implements Peer {
  readonly transport = 'http'
  readonly ip: string
  readonly proxies?: readonly string[]
  readonly unclear?: true
  readonly certificate?: PeerCertificate
  readonly path?: string
  request?: PeerRequest
  readonly #rawHeaders: readonly string[]

  constructor({ ip, proxies, unclear }: ClientAddress, { rawHeaders = NONE, path, certificate, method, target }: Said = {}) {
    this.ip = ip
    if (proxies !== undefined) this.proxies = proxies
    if (unclear !== undefined) this.unclear = unclear
    if (certificate !== undefined) this.certificate = certificate
    if (path !== undefined) this.path = path
    this.#rawHeaders = rawHeaders
    if (method !== undefined && target !== undefined && this.header(CALLER.header).length > 0)
      this.request = { method, target, digest: NO_BODY }
  }

  /** All of the body is there. Invariant: nothing is served of a body that did not come this way. */
  took(body: Uint8Array): void {
    if (this.request !== undefined) this.request = { ...this.request, digest: hash('sha256', body, 'base64url') }
  }

  /** From the raw headers: Node keeps only the first of two `Authorization` headers and says nothing. */
  header(name: string): readonly string[] {
    let values: string[] | undefined
    const raw = this.#rawHeaders
    for (let i = 0; i < raw.length; i += 2) {
      const key = raw[i]!
      if (key.length === name.length && key.toLowerCase() === name) {
        if (values === undefined) values = [raw[i + 1]!]
        else values.push(raw[i + 1]!)
      }
    }
    return values ?? NONE
  }
}

/**
 * What Node takes and other programs read otherwise, in the words of its parser: HTTP/0.9 has no headers, HTTP/1.0 no chunks, so where such a
 * request ends is a guess; and of what is compressed within its chunks Node reads the bytes as they came. Spec: RFC 9112, 6.1.
 */
export function framingFault({ httpVersionMajor, httpVersionMinor, headers }: IncomingMessage): string | undefined {
  if (httpVersionMajor < 1) return 'HPE_INVALID_VERSION'
  const coding = headers['transfer-encoding']
  if (coding === undefined || (httpVersionMinor > 0 && coding.toLowerCase() === 'chunked')) return undefined
  return 'HPE_INVALID_TRANSFER_ENCODING'
}

export interface Gatekeeper {
  /** The code of the refusal, before the body is read. */
  check(request: IncomingMessage, peer: HttpPeer): ErrorCode | undefined
}

/** Spec: basic/transports, "Security Warning": Host and Origin are checked against DNS rebinding. */
export function createGatekeeper(
  hosts: readonly string[],
  origins: readonly string[],
  listening: () => { host: string; port: number },
): Gatekeeper {
  const extra = new Set(hosts.map(host => host.toLowerCase()))
  const allowedOrigins = new Set(origins.map(origin => origin.toLowerCase()))

  function hostAllowed(value: string | undefined): boolean {
    if (value === undefined) return false
    const host = value.toLowerCase()
    if (extra.has(host)) return true
    const name = host.replace(/:\d+$/, '')
    return extra.has(name) || name === 'localhost' || name === '127.0.0.1' || name === '[::1]' || name === listening().host.toLowerCase()
  }

  return {
    check(request, peer) {
      if (request.rawHeaders.length > 2 * MAX_HEADERS) return 'invalid-request'
      const host = peer.header('host')
      // Spec: RFC 9112, 3.2.
      if (host.length === 0) return 'invalid-request'
      if (host.length !== 1 || !hostAllowed(host[0])) return 'forbidden-host'
      const [origin, ...others] = peer.header('origin')
      if (others.length > 0 || (origin !== undefined && !originAllowed(origin))) return 'forbidden-host'
      if (request.method !== 'POST') return undefined
      const [type, ...otherTypes] = peer.header('content-type')
      if (type === undefined || otherTypes.length > 0 || !/^application\/json\s*(;\s*charset=("?)utf-8\2\s*)?$/i.test(type))
        return 'media-type'
      const encoding = request.headers['content-encoding']
      return encoding === undefined || encoding === 'identity' ? undefined : 'media-type'
    },
  }

  function originAllowed(origin: string): boolean {
    if (allowedOrigins.has(origin.toLowerCase())) return true
    const match = /^https?:\/\/([^/]+)$/i.exec(origin)
    return match !== null && hostAllowed(match[1])
  }
}
