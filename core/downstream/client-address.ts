// Whose request it is by address: of the socket, or where that is a trusted proxy, what it says of whom it speaks for.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type AddressRanges, readAddress, readRanges } from '../plugin/index.ts'

export interface ClientAddress {
  readonly ip: string
  readonly proxies?: readonly string[]
  readonly unclear?: true
}

export interface Addresses {
  /** Whether the other end is a trusted proxy. */
  isTrusted(socket: Socket): boolean
  /** Whether requests of others may come on it: of whom, each says for itself. */
  isShared(socket: Socket): boolean
  /** What a PROXY protocol header said of whose connection it is; only of a trusted proxy. `client`: canonical. */
  note(socket: Socket, client: string): void
  /** `forwarded`: the values of X-Forwarded-For, in order. `client`: what a PROXY protocol header said. */
  of(address: string | undefined, forwarded: readonly string[], client?: string): ClientAddress
  ofSocket(socket: Socket): ClientAddress
  ofRequest(request: IncomingMessage): ClientAddress
}

const NONE: readonly string[] = Object.freeze([])
const FORWARDED = 'x-forwarded-for'
/** Longer chains are nobody's; a header of 16 KB could name thousands. */
const MAX_HOPS = 32

export function createAddresses(trustedProxies: readonly string[]): Addresses {
  const trusted: AddressRanges | undefined = trustedProxies.length === 0 ? undefined : readRanges(trustedProxies)

  const clients = new WeakMap<Socket, string>()

  function of(address: string | undefined, forwarded: readonly string[], client?: string): ClientAddress {
    const own = canonicalIp(address)
    const proxies: string[] = client === undefined ? [] : [own]
    let ip = client ?? own
    if (forwarded.length === 0 || trusted?.has(ip) !== true) return { ip, ...(proxies.length > 0 && { proxies }) }
    const said = forwarded.join(',').split(',')
    // From the right: each was written by the one before it, and counts only where that one is trusted.
    while (said.length > 0 && trusted.has(ip)) {
      const next = readAddress(said.pop()!.trim())
      if (next === undefined || proxies.length === MAX_HOPS) return { ip, ...(proxies.length > 0 && { proxies }), unclear: true }
      proxies.push(ip)
      ip = next
    }
    return { ip, proxies }
  }

  return {
    isTrusted: socket => trusted?.has(canonicalIp(socket.remoteAddress)) === true,
    isShared: socket => trusted?.has(clients.get(socket) ?? canonicalIp(socket.remoteAddress)) === true,
    note: (socket, client) => void clients.set(socket, client),
    of,
    ofSocket: socket => of(socket.remoteAddress, NONE, clients.get(socket)),
    ofRequest: ({ socket, headersDistinct }) =>
      of(socket.remoteAddress, trusted === undefined ? NONE : (headersDistinct[FORWARDED] ?? NONE), clients.get(socket)),
  }
}

/** Of a socket: one canonical form; empty where it is gone. */
export function canonicalIp(address: string | undefined): string {
  if (address === undefined) return ''
  // A link-local address has a zone, which says on which of our interfaces it is.
  return readAddress(address.replace(/%.*$/, '')) ?? ''
}
