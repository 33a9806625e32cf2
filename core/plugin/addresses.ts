// IP addresses and ranges of them, read strictly: what two programs could read in two ways is none.
import { isIPv4, isIPv6 } from 'node:net'

/** IPv4 or IPv6, in words of 32 bits: one, or four. */
interface Address {
  readonly words: readonly number[]
}

/** Addresses that `has` tells of: by prefix length, so that ten thousand ranges cost as many lookups as they have different lengths. */
export interface AddressRanges {
  /** `address`: canonical text, as in `Peer.ip`. False for what is no address. */
  has(address: string): boolean
}

/** Spec: RFC 6052, 2.1: IPv4 behind NAT64. */
const NAT64 = [0x0064ff9b, 0, 0]

/**
 * The one canonical text of an address: dotted decimal, or IPv6 as RFC 5952 writes it. An IPv4 address mapped into IPv6, or behind NAT64, is
 * IPv4. Undefined for anything else: other spellings (`0x7f.1`, `010.0.0.1`), zones, ports, white space.
 */
export function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const words = wordsOf6(text)
  if (words === undefined) return undefined
  return embedded(words) ?? write6(words)
}

/** What a range is written as: `10.0.0.0/8`, `10.0.*`, `2001:db8::/32`, or one address. A throw says what is wrong with which of them. */
export function readRanges(texts: readonly string[]): AddressRanges {
  const prefixes = [new Map<number, Set<string>>(), new Map<number, Set<string>>()] as const
  for (const text of texts) {
    const { words, bits } = readRange(text)
    const [four, six] = prefixes
    const own = words.length === 1 ? four : six
    const known = own.get(bits) ?? new Set()
    own.set(bits, known.add(keyOf(words, bits)))
  }
  return {
    has(address) {
      const found = readWords(address)
      if (found === undefined) return false
      for (const [bits, keys] of prefixes[found.words.length === 1 ? 0 : 1]) if (keys.has(keyOf(found.words, bits))) return true
      return false
    },
  }
}

/** What one customer of a network has as a rule: an IPv4 address, or of IPv6 a /64 (its four groups). `address`: canonical. */
export function networkOf(address: string): string {
  const words = wordsOf6(address)
  return words === undefined ? address : groupsOf(words).slice(0, 4).map(hex).join(':')
}

/** Of 6to4 (2002::/16) the IPv4 address that stands in it; undefined for all others. */
export function innerAddress(address: string): string | undefined {
  const words = readWords(address)?.words
  if (words?.length !== 4 || words[0]! >>> 16 !== 0x2002) return undefined
  return write4(((words[0]! << 16) | (words[1]! >>> 16)) >>> 0)
}

function readRange(text: string): { readonly words: readonly number[]; readonly bits: number } {
  const wild = /^((?:\d{1,3}\.){1,3})\*$/.exec(text)?.[1]
  if (wild !== undefined) {
    const parts = wild.split('.').length - 1
    return rangeOf(
      text,
      `${wild}${Array(4 - parts)
        .fill('0')
        .join('.')}`,
      8 * parts,
    )
  }
  const [, address = text, digits] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  return rangeOf(text, address, digits === undefined ? undefined : Number(digits))
}

function rangeOf(text: string, address: string, bits: number | undefined): { readonly words: readonly number[]; readonly bits: number } {
  const found = readWords(address)
  const all = found === undefined ? 0 : 32 * found.words.length
  if (found === undefined || (bits ?? all) > all)
    throw new Error(`expected an address, a range like 10.0.0.0/8 or 2001:db8::/32, or 10.0.*, found ${text}`)
  const length = bits ?? all
  const isExact = found.words.every((word, at) => word === mask(word, length - 32 * at))
  if (!isExact) throw new Error(`${text} has bits behind its prefix: expected ${writeMasked(found.words, length)}/${length}`)
  return { words: found.words, bits: length }
}

const readWords = (text: string): Address | undefined => {
  if (isIPv4(text)) return { words: [word4(text)] }
  const words = wordsOf6(text)
  return words && { words }
}

function keyOf(words: readonly number[], bits: number): string {
  if (words.length === 1) return String(mask(words[0]!, bits))
  let key = ''
  for (let at = 0; 32 * at < bits; at++) key += `${mask(words[at]!, bits - 32 * at)},`
  return key
}

/** The first `bits` bits of a word; a shift by 32 would be one by none. */
function mask(word: number, bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? word : (word & (-1 << (32 - bits))) >>> 0
}

const word4 = (text: string): number => text.split('.').reduce((word, part) => word * 256 + Number(part), 0)
const write4 = (word: number): string => [24, 16, 8, 0].map(shift => (word >>> shift) & 255).join('.')

function wordsOf6(text: string): readonly number[] | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const plain = dotted === null ? text : `${dotted[1]}${hex(word4(dotted[2]!) >>> 16)}:${hex(word4(dotted[2]!) & 0xffff)}`
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return [0, 2, 4, 6].map(at => Number.parseInt(groups[at], 16) * 65_536 + Number.parseInt(groups[at + 1], 16))
}

const hex = (group: number): string => group.toString(16)
const groupsOf = (words: readonly number[]): readonly number[] => words.flatMap(word => [word >>> 16, word & 0xffff])

function embedded([a, b, c, d]: readonly number[]): string | undefined {
  const isMapped = a === 0 && b === 0 && c === 0xffff
  return isMapped || (a === NAT64[0] && b === NAT64[1] && c === NAT64[2]) ? write4(d!) : undefined
}

/** Spec: RFC 5952, section 4: the longest run of two zero groups and more is `::`, the first of equal ones. */
function write6(words: readonly number[]): string {
  const groups = groupsOf(words)
  let best = { from: 0, length: 1 }
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (groups[from + length] === 0) length++
    if (length > best.length) best = { from, length }
  }
  const text = (part: readonly number[]): string => part.map(hex).join(':')
  if (best.length < 2) return text(groups)
  return `${text(groups.slice(0, best.from))}::${text(groups.slice(best.from + best.length))}`
}

function writeMasked(words: readonly number[], bits: number): string {
  const masked = words.map((word, at) => mask(word, bits - 32 * at))
  return masked.length === 1 ? write4(masked[0]!) : write6(masked)
}
