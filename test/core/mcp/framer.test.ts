// The line framer: the same lines however the bytes are cut into chunks, and bounded memory whatever is sent.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineFramer, type FramingFault } from '../../../core/mcp/framer.ts'

function frame(chunks: readonly Buffer[], maxBytes = 1000, skipBytes?: number): { lines: string[]; faults: FramingFault[] } {
  const lines: string[] = []
  const faults: FramingFault[] = []
  const framer = createLineFramer({
    maxBytes,
    ...(skipBytes !== undefined && { skipBytes }),
    onLine: line => lines.push(line.toString('latin1')),
    onFault: fault => faults.push(fault),
  })
  for (const chunk of chunks) framer.push(chunk)
  return { lines, faults }
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  chunks.push(bytes.subarray(at))
  return chunks
}

describe('line framer', () => {
  it('finds the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '\r', ' ', '{'), maxLength: 40 })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), fc.array(fc.nat(30)), fc.integer({ min: 1, max: 30 }), (lines, lengths, maxBytes) => {
        const bytes = Buffer.from(lines.map(one => `${one}\n`).join(''), 'latin1')
        const whole = lines.map(one => one.replace(/\r$/, '')).filter(one => one !== '')
        const { lines: found, faults } = frame(cut(bytes, lengths), maxBytes, 10_000)
        expect(found).toEqual(whole.filter(one => one.length <= maxBytes))
        expect(faults.map(fault => fault.bytes)).toEqual(whole.map(one => one.length).filter(length => length > maxBytes))
      }),
      { numRuns: 2000 },
    )
  })

  it('hands out a line of a single chunk without copying it', () => {
    const chunk = Buffer.from('{"a":1}\n{"b":2}\r\n')
    const lines: Buffer[] = []
    const framer = createLineFramer({ maxBytes: 100, onLine: line => lines.push(line), onFault: () => {} })
    framer.push(chunk)
    expect(lines.map(String)).toEqual(['{"a":1}', '{"b":2}'])
    expect(lines.every(line => line.buffer === chunk.buffer)).toBe(true)
  })

  it('drops bytes that no newline ends', () => {
    expect(frame([Buffer.from('{"a":1}\n{"b"')]).lines).toEqual(['{"a":1}'])
  })

  it('says the beginning and the end of a line over the limit, and goes on with the next', () => {
    const long = `begin${'x'.repeat(3000)}end`
    const { lines, faults } = frame(cut(Buffer.from(`${long}\nnext\n`), [1, 100, 990, 1000, 910]), 1000, 10_000)
    expect(lines).toEqual(['next'])
    const [fault] = faults
    expect(fault).toMatchObject({ kind: 'oversize', bytes: 3008 })
    expect(fault?.kind === 'oversize' && [Buffer.from(fault.head).toString(), Buffer.from(fault.tail).toString()]).toEqual([
      long.slice(0, 256),
      long.slice(-256),
    ])
  })

  it('gives up a line that never ends, once, and is deaf from then on', () => {
    const chunk = Buffer.alloc(1000, 'x')
    const { lines, faults } = frame([...Array.from({ length: 50 }, () => chunk), Buffer.from('\n{}\n')], 1000, 5000)
    expect(faults).toEqual([{ kind: 'runaway', bytes: 6000 }])
    expect(lines).toEqual([])
  })

  it('delivers nothing more once stopped, not even from the same chunk', () => {
    const lines: string[] = []
    const framer = createLineFramer({
      maxBytes: 100,
      onLine(line) {
        lines.push(line.toString())
        framer.stop()
      },
      onFault: () => {},
    })
    framer.push(Buffer.from('1\n2\n3\n'))
    framer.push(Buffer.from('4\n'))
    expect(lines).toEqual(['1'])
  })
})
