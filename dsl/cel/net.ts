// net.in_cidr(): whether an address lies in a network. One spelling of an address, so that nothing is read two ways.
import { bool } from './cel-type.ts'
import { binary, type Overload } from './overload.ts'

interface Address {
  readonly bits: bigint
  readonly width: 32 | 128
}

const v4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

function readV4(text: string): bigint | undefined {
  const match = v4.exec(text)
  const octets = match?.slice(1).map(Number)
  if (octets === undefined || octets.some(one => one > 255)) return undefined
  return octets.reduce((sum, one) => (sum << 8n) | BigInt(one), 0n)
}

/** Groups of one side of `::`, a dotted IPv4 address at the end being two. */
function groupsOf(text: string, last: boolean): readonly bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: bigint[] = []
  for (const [at, part] of parts.entries()) {
    if (last && at === parts.length - 1 && part.includes('.')) {
      const four = readV4(part)
      if (four === undefined) return undefined
      groups.push(four >> 16n, four & 0xffffn)
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}

function readV6(text: string): bigint | undefined {
  const sides = text.split('::')
  if (sides.length > 2) return undefined
  const head = groupsOf(sides[0]!, sides.length === 1)
  const tail = sides.length === 2 ? groupsOf(sides[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((sum, one) => (sum << 16n) | one, 0n)
}

/** An IPv4 address in IPv6 clothes is the IPv4 address. */
function read(text: string): Address | undefined {
  if (text.length > 45) return undefined
  const four = readV4(text)
  if (four !== undefined) return { bits: four, width: 32 }
  const six = text.includes(':') ? readV6(text) : undefined
  if (six === undefined) return undefined
  return six >> 32n === 0xffffn ? { bits: six & 0xffffffffn, width: 32 } : { bits: six, width: 128 }
}

function inCidr(ip: string, cidr: string): boolean | undefined {
  const address = read(ip)
  const slash = cidr.indexOf('/')
  const network = slash < 0 ? undefined : read(cidr.slice(0, slash))
  const length = /^(?:0|[1-9]\d{0,2})$/.test(cidr.slice(slash + 1)) ? Number(cidr.slice(slash + 1)) : undefined
  if (address === undefined || network === undefined || length === undefined) return undefined
  const mapped = network.width === 32 && cidr.slice(0, slash).includes(':')
  const prefix = mapped ? length - 96 : length
  if (prefix < 0 || prefix > network.width) return undefined
  const rest = BigInt(network.width - prefix)
  // Host bits in a network are a mistake somewhere: nobody knows which part was meant.
  if ((network.bits >> rest) << rest !== network.bits) return undefined
  return address.width === network.width && address.bits >> rest === network.bits >> rest
}

export const netFunctions: readonly Overload[] = [
  binary('function', 'net.in_cidr', ['string', 'string'], bool, (a, b, run) => (run.charge(30) ? inCidr(a, b) : undefined)),
]
