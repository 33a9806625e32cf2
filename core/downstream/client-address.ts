// Whose request it is by address: of the socket, or where that is a trusted proxy, what it says of whom it speaks for.
import type { IncomingMessage } from 'node:http'
import { type AddressRanges, readAddress, readRanges } from '../plugin/index.ts'

export interface ClientAddress {
  readonly ip: string
  readonly proxies?: readonly string[]
  readonly unclear?: true
}

export interface Addresses {
  /** Whether others may come through this one. `address`: of a socket. */
  isProxy(address: string | undefined): boolean
  /** `forwarded`: the values of X-Forwarded-For, in order. */
  of(address: string | undefined, forwarded: readonly string[]): ClientAddress
  ofRequest(request: IncomingMessage): ClientAddress
}

const NONE: readonly string[] = Object.freeze([])
const FORWARDED = 'x-forwarded-for'
/** Longer chains are nobody's; a header of 16 KB could name thousands. */
const MAX_HOPS = 32

export function createAddresses(trustedProxies: readonly string[]): Addresses {
  const trusted: AddressRanges | undefined = trustedProxies.length === 0 ? undefined : readRanges(trustedProxies)

  function of(address: string | undefined, forwarded: readonly string[]): ClientAddress {
    const own = canonicalIp(address)
    if (forwarded.length === 0 || trusted?.has(own) !== true) return { ip: own }
    const said = forwarded.join(',').split(',')
    const proxies: string[] = []
    let ip = own
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
    isProxy: address => trusted?.has(canonicalIp(address)) === true,
    of,
    ofRequest: ({ socket, headersDistinct }) =>
      of(socket.remoteAddress, trusted === undefined ? NONE : (headersDistinct[FORWARDED] ?? NONE)),
  }
}

/** Of a socket: one canonical form; empty where it is gone. */
export function canonicalIp(address: string | undefined): string {
  if (address === undefined) return ''
  // A link-local address has a zone, which says on which of our interfaces it is.
  return readAddress(address.replace(/%.*$/, '')) ?? ''
}
