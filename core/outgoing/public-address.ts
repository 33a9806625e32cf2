// Which addresses are on the public internet: whoever is told by somebody else where to go goes nowhere else.
import { BlockList, isIP } from 'node:net'

// Source: IANA special-purpose address registries (RFC 6890 and later); whatever is not globally reachable, and what wraps other addresses.
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]
const special = listOf(SPECIAL)
/** Of IPv6 only this is assigned to the public; NAT64, mapped, unique-local and link-local addresses lie outside of it. */
const global = listOf(['2000::/3'])

/** `address` as the system's resolver or a URL writes it, without brackets. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const plain = mapped ?? address
  if (isIP(plain) === 4) return !special.check(plain, 'ipv4')
  return isIP(plain) === 6 && !plain.includes('%') && global.check(plain, 'ipv6') && !special.check(plain, 'ipv6')
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
