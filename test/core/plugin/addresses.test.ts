// Addresses and ranges: one spelling for each, and the same answer as the network stack's own list gives.
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { innerAddress, readAddress, readRanges } from '../../../core/plugin/index.ts'

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:0a01:0203', '10.1.2.3'],
    ['0:0:0:0:0:ffff:10.1.2.3', '10.1.2.3'],
    ['64:ff9b::10.1.2.3', '10.1.2.3'],
    ['64:ff9b::a01:203', '10.1.2.3'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:0db8:0000:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['1::', '1::'],
    ['::1', '::1'],
    ['::10.1.2.3', '::a01:203'],
    ['2002:a01:203::', '2002:a01:203::'],
  ])('%s is %s', (text, canonical) => {
    expect(readAddress(text)).toBe(canonical)
  })

  it.each([
    '',
    ' ',
    '010.0.0.1',
    '0x7f.1',
    '0x7f000001',
    '127.1',
    '2130706433',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4:80',
    '[::1]',
    '[::1]:80',
    '::1%lo',
    'fe80::1%eth0',
    ':::',
    '1:2:3:4:5:6:7',
    '1::2::3',
    'g::1',
    'localhost',
    '10.0.0.0/8',
    '١٢٧.0.0.1',
    '1.2.3.4\n',
    '-1.2.3.4',
    '+1.2.3.4',
    '1e1.2.3.4',
  ])('%j is none', text => {
    expect(readAddress(text)).toBeUndefined()
  })
})

const four = fc.ipV4()
const six = fc.oneof(fc.ipV6(), fc.constantFrom('::1', '2001:db8::1', '2001:db8:8000::', 'fe80::1', '::ffff:1.2.3.4'))

describe('a property of all addresses', () => {
  it('the canonical text is an address, and its own canonical text', () => {
    fc.assert(
      fc.property(fc.oneof(four, six), text => {
        const canonical = readAddress(text)!
        expect(isIP(canonical)).toBeGreaterThan(0)
        expect(readAddress(canonical)).toBe(canonical)
      }),
    )
  })

  it('ranges hold what the list of the network stack holds, whatever the prefix', () => {
    const range = fc.oneof(fc.tuple(four, fc.integer({ min: 0, max: 32 })), fc.tuple(six, fc.integer({ min: 0, max: 128 })))
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.array(fc.oneof(four, six), { minLength: 1, maxLength: 8 }), (given, asked) => {
        // One for each family: to the network stack, IPv4 lies within IPv6.
        const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
        const texts: string[] = []
        for (const [text, bits] of given) {
          const address = readAddress(text)!
          const family = isIP(address)
          if (family === 4 && bits > 32) continue
          lists[`ipv${family as 4 | 6}`].addSubnet(address, bits, `ipv${family as 4 | 6}`)
          texts.push(canonicalRange(address, bits))
        }
        const ranges = readRanges(texts)
        // Neighbours of what was given are asked for as well as anything.
        for (const one of [...asked, ...given.map(([text]) => text)].map(text => readAddress(text)!))
          expect([one, ranges.has(one)]).toEqual([one, lists[`ipv${isIP(one) as 4 | 6}`].check(one, `ipv${isIP(one) as 4 | 6}`)])
      }),
      { numRuns: 500 },
    )
  })
})

/** With no bits behind its prefix: what the error says to write. */
function canonicalRange(address: string, bits: number): string {
  const text = `${address}/${bits}`
  try {
    readRanges([text])
    return text
  } catch (error) {
    return /expected (\S+)$/.exec((error as Error).message)![1]!
  }
}

describe('a range', () => {
  it.each([
    ['0.0.0.0/0', ['0.0.0.0', '8.8.8.8', '255.255.255.255'], ['::1', '::']],
    ['::/0', ['::', 'ffff::', '2001:db8::1'], ['1.2.3.4']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
    ['10.0.*', ['10.0.0.0', '10.0.255.255'], ['10.1.0.0']],
    ['10.*', ['10.1.2.3'], ['11.0.0.0']],
    ['192.168.1.*', ['192.168.1.77'], ['192.168.2.0']],
    ['192.168.1.7', ['192.168.1.7'], ['192.168.1.8']],
    ['192.168.1.6/31', ['192.168.1.6', '192.168.1.7'], ['192.168.1.5', '192.168.1.8']],
    ['2001:db8::/33', ['2001:db8:7fff::1'], ['2001:db8:8000::']],
    ['2001:db8::1', ['2001:db8::1'], ['2001:db8::2']],
  ])('%s', (range, inside, outside) => {
    const ranges = readRanges([range])
    expect(inside.filter(address => !ranges.has(address))).toEqual([])
    expect(outside.filter(address => ranges.has(address))).toEqual([])
    for (const nothing of ['', 'localhost', '10.0.0.1 ', '::1%lo']) expect(ranges.has(nothing)).toBe(false)
  })

  it.each([
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['0.0.0.1/0', '0.0.0.0/0'],
  ])('%s has bits that count for nothing', (text, expected) => {
    expect(() => readRanges([text])).toThrow(`${text} has bits behind its prefix: expected ${expected}`)
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '/8',
    '10',
    '10.0',
    '*',
    '10.*.*',
    '10.0.0.0.*',
    '300.*',
    '2001:db8::/129',
    '010.0.0.0/8',
    '010.*',
    '10.0.0.0 /8',
    'example.com',
    '::1%lo',
    '10.0.0.1-10.0.0.9',
    '',
  ])('%s is none', text => {
    expect(() => readRanges([text])).toThrow(`expected an address, a range like 10.0.0.0/8 or 2001:db8::/32, or 10.0.*, found ${text}`)
  })

  it('an address inside of another one is found', () => {
    expect(innerAddress('2002:a01:203::1')).toBe('10.1.2.3')
    expect(innerAddress('2001:db8::1')).toBeUndefined()
    expect(innerAddress('10.1.2.3')).toBeUndefined()
  })
})
