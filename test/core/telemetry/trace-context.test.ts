// Trace Context as W3C has it: what is one is read as it was written, and whatever else is none.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isInShare, newSpanId, newTraceId, readTraceparent, writeTraceparent } from '../../../core/telemetry/trace-context.ts'

const hex = (length: number) =>
  fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...Array.from('0123456789abcdef')) })
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test('what is written is read again', () => {
  const contexts = fc.record({ traceId: hex(32), spanId: hex(16), isSampled: fc.boolean() })
  fc.assert(
    fc.property(contexts, context => {
      const isOne = /[^0]/.test(context.traceId) && /[^0]/.test(context.spanId)
      expect(readTraceparent(writeTraceparent(context))).toEqual(isOne ? context : undefined)
    }),
  )
})

test('any text is read or is none, and nothing throws', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 600 }), text => {
      const context = readTraceparent(text)
      if (context !== undefined) expect(text.startsWith(`${text.slice(0, 2)}-${context.traceId}-${context.spanId}-`)).toBe(true)
    }),
  )
})

describe('none is', () => {
  test.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(500)}`,
  ])('%j', text => {
    expect(readTraceparent(text)).toBeUndefined()
  })
})

test('a later version is read as far as it is known, and of the flags the one that is', () => {
  expect(readTraceparent(`cc-${TRACE}-${SPAN}-01-what-will-be`)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true })
  expect(readTraceparent(`00-${TRACE}-${SPAN}-fe`)?.isSampled).toBe(false)
  expect(readTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled).toBe(true)
})

test('ids are new each time, and a share is about that share of them', () => {
  const traces = Array.from({ length: 4000 }, newTraceId)
  expect(new Set(traces).size).toBe(4000)
  expect(newSpanId()).toMatch(/^[0-9a-f]{16}$/)
  expect(traces.filter(id => isInShare(id, 0))).toEqual([])
  expect(traces.every(id => isInShare(id, 1))).toBe(true)
  const quarter = traces.filter(id => isInShare(id, 0.25)).length
  expect(quarter).toBeGreaterThan(700)
  expect(quarter).toBeLessThan(1300)
  // Whoever keeps a small share keeps what a larger one has, too.
  expect(traces.filter(id => isInShare(id, 0.1)).every(id => isInShare(id, 0.25))).toBe(true)
})
