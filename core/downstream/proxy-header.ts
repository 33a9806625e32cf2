// Reads the header of the PROXY protocol, version 2: whose connection it is that a proxy hands on. Strict, as this stands for an address.
// Spec: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, 2.2.
import { readAddress } from '../plugin/index.ts'

export type ProxyHeader =
  /** `client` is absent where the proxy speaks for itself (LOCAL). `length`: bytes of the header. */
  | { readonly kind: 'header'; readonly length: number; readonly client?: string }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const FIXED = 16
/** Of what follows the fixed part: addresses and a few extras; those of the specification fit into 500 bytes. */
const MAX_REST = 2048
const TCP4 = 0x11
const TCP6 = 0x21
const CRC32C = 0x03

/** `bytes`: what has come so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const start = bytes.subarray(0, SIGNATURE.length)
  if (!start.equals(SIGNATURE.subarray(0, start.length)))
    return bad(start.toString('latin1').startsWith('PROXY') ? 'version 1 is not accepted' : 'no header')
  if (bytes.length < FIXED) return { kind: 'more' }
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 0x0f]
  if (version !== 2) return bad(`version ${version}`)
  if (command > 1) return bad(`command ${command}`)
  const rest = bytes.readUInt16BE(14)
  if (rest > MAX_REST) return bad('the header is too long')
  const length = FIXED + rest
  if (bytes.length < length) return { kind: 'more' }
  const header = bytes.subarray(0, length)
  if (command === 0) return { kind: 'header', length }
  const family = bytes[13]
  const size = family === TCP4 ? 12 : family === TCP6 ? 36 : undefined
  if (size === undefined) return bad('not TCP over IPv4 or IPv6')
  if (rest < size) return bad('the addresses are cut short')
  const why = checkExtras(header, FIXED + size)
  if (why !== undefined) return bad(why)
  const client = readAddress(family === TCP4 ? header.subarray(16, 20).join('.') : groups(header.subarray(16, 32)))
  return client === undefined ? bad('no address') : { kind: 'header', length, client }
}

function bad(why: string): ProxyHeader {
  return { kind: 'bad', why }
}

function groups(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':')
}

function checkExtras(header: Buffer, from: number): string | undefined {
  let at = from
  while (at < header.length) {
    if (at + 3 > header.length) return 'an extra is cut short'
    const value = at + 3
    const end = value + header.readUInt16BE(at + 1)
    if (end > header.length) return 'an extra is cut short'
    if (header[at] === CRC32C && !isSum(header, value, end)) return 'the checksum does not fit'
    at = end
  }
  return undefined
}

/** Spec: 2.2.3, PP2_TYPE_CRC32C: over the whole header, with zeros in place of the sum. */
function isSum(header: Buffer, from: number, to: number): boolean {
  if (to - from !== 4) return false
  const blank = Buffer.from(header)
  blank.fill(0, from, to)
  return crc32c(blank) === header.readUInt32BE(from)
}

export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0x82f63b78 & -(sum & 1))
  }
  return ~sum >>> 0
}
