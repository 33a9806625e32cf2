// Who may come, by address: a deny beats an allow, and what nobody can say of is not among the allowed.
import { innerAddress, type Peer, readRanges } from 'mcpgw/plugin'
import type { IpfilterConfig } from './config.ts'

/** Why an address may not come in, for the record; undefined where it may. */
export type Filter = (peer: Peer) => string | undefined

export function createFilter({ allow, deny }: IpfilterConfig): Filter {
  const allowed = allow && readRanges(allow)
  const denied = readRanges(deny)
  return ({ transport, ip = '', unclear }) => {
    // Whoever started the gateway comes from no address.
    if (transport === 'stdio') return undefined
    const inner = innerAddress(ip)
    if (denied.has(ip) || (inner !== undefined && denied.has(inner))) return `${ip} is denied`
    if (allowed === undefined) return unclear === true && deny.length > 0 ? `who came through ${ip} is not clear` : undefined
    if (unclear === true) return `who came through ${ip} is not clear`
    return allowed.has(ip) ? undefined : `${ip} is not among those allowed`
  }
}
