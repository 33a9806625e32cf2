// Standard error: the end is kept, the log gets little of it, and neither shows a secret or a control character.
import { describe, expect, it } from 'vitest'
import { createStderrRing } from '../../../../core/upstream/child/stderr-ring.ts'
import { createManualClock } from '../manual-clock.ts'

function setUp(bytes = 64, linesPerSecond = 3) {
  const clock = createManualClock()
  const lines: [string, number][] = []
  const scrub = (text: string): string => text.replaceAll('hunter2', '[secret]')
  const ring = createStderrRing({ clock, bytes, linesPerSecond, scrub, onLine: (line, suppressed) => lines.push([line, suppressed]) })
  return { clock, lines, ring, push: (text: string) => ring.push(Buffer.from(text)) }
}

describe('stderr ring', () => {
  it('logs whole lines however they are cut, without control characters', () => {
    const { lines, push } = setUp()
    push('one\ntw')
    push('o \u001b[31mred\u001b[0m \u202e\r\n')
    expect(lines).toEqual([
      ['one', 0],
      ['two \\u001b[31mred\\u001b[0m \\u202e', 0],
    ])
  })

  it('logs few lines a second, and then says how much it passed over', () => {
    const { clock, lines, push } = setUp()
    push('1\n2\n3\n4\n')
    push('5\n')
    clock.advance(1000)
    push('6\n7\n')
    expect(lines).toEqual([
      ['1', 0],
      ['2', 0],
      ['3', 0],
      ['7', 2],
    ])
  })

  it('shows no secret, also where one is cut by chunks, by the limit of lines, or by the edge of the ring', () => {
    const { clock, lines, ring, push } = setUp(20, 1)
    push('password hun')
    push('ter2\n')
    push('again hun')
    clock.advance(1000)
    push('ter2 rest\nand hunter2 at the end\n')
    expect(lines.map(([line]) => line)).toEqual(['password [secret]', 'and [secret] at the end'])
    push('hunter2 12345678901\nend\n')
    expect(ring.tail()).toEqual(['end'])
  })

  it('keeps exactly the last bytes', () => {
    const { ring, push } = setUp(10)
    push('abc\n')
    expect(ring.tail()).toEqual(['abc'])
    push('defghijk\nlmn\nop\n')
    expect(ring.tail()).toEqual(['lmn', 'op'])
    push(`${'x'.repeat(100)}\nlast\n`)
    expect(ring.tail()).toEqual(['last'])
    expect(ring.total).toBe(4 + 16 + 106)
  })

  it('shows only the beginning of a very long line', () => {
    const { lines, push } = setUp()
    for (let part = 0; part < 100; part++) push('y'.repeat(1000))
    push('\n')
    expect(lines).toEqual([[`${'y'.repeat(1024)}...`, 0]])
  })
})
