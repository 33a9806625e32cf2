// What is written by hand for speed gives the same as what it replaces: keyed digests, links of the chain, times.
import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leafOf, leafOfBody, linkLeaf, linkRecord } from '../../../plugins/audit/chain.ts'
import { createDigest } from '../../../plugins/audit/digest.ts'
import { milliseconds } from '../../../plugins/audit/json-text.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a digest is the HMAC-SHA-256 of RFC 2104, whatever its length and whatever was digested before', () => {
  fc.assert(
    fc.property(bytes32, fc.array(fc.uint8Array({ maxLength: 300 })), (key, texts) => {
      const digest = createDigest(key)
      for (const text of texts) expect(digest(text)).toBe(`hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`)
    }),
  )
  const key = Buffer.alloc(32, 7)
  const digest = createDigest(key)
  for (const length of [0, 1, 63, 64, 65, 16_383, 16_384, 16_385, 100_000]) {
    const text = Buffer.alloc(length, length % 251)
    expect(digest(text)).toBe(`hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`)
  }
})

test('a link is the hash of the link before and of the leaf, for the writer as for the verifier', () => {
  const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  fc.assert(
    fc.property(bytes32, fc.string({ unit: 'grapheme' }), (prev, body) => {
      const leaf = sha256(Buffer.from([0]), Buffer.from(body))
      const expected = sha256(Buffer.from([1]), prev, leaf)
      expect(leafOf(`\0${body}`)).toBe(leaf.toString('binary'))
      expect(leafOfBody(Buffer.from(body))).toBe(leaf.toString('binary'))
      expect(linkRecord(prev, leaf.toString('binary'))).toEqual(expected)
      expect(linkLeaf(Buffer.from(prev).toString('hex'), leaf.toString('binary'))).toBe(expected.toString('hex'))
    }),
  )
})

test('times are JSON numbers in milliseconds, exact to the microsecond and never negative', () => {
  fc.assert(
    fc.property(fc.double({ min: -10, max: 1e9, noNaN: true }), ms => {
      expect(JSON.parse(milliseconds(ms))).toBe(Math.max(0, Math.round(ms * 1000)) / 1000)
    }),
  )
  expect([0, 0.0004, 1.5, 999.9996].map(milliseconds)).toEqual(['0.000', '0.000', '1.500', '1000.000'])
})
