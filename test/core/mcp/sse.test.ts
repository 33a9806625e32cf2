// The event-stream parser against the WHATWG algorithm written down naively, and its caps.
import { describe, expect, test } from 'vitest'
import { createSseParser, formatSseEvent } from '../../../core/mcp/sse.ts'
import { hold } from '../../fuzz/law.ts'
import { isReadBack, parse, readsAnyBytes, readsText, type Seen } from './sse-laws.ts'

const parseText = (text: string): Seen => parse([Buffer.from(text)])
const dataOf = (text: string): string[] => parseText(text).events.map(event => event.data)

describe('the parser', () => {
  test('agrees with the WHATWG algorithm on any stream in any chunks', async () => {
    await hold(readsText, { numRuns: 6000, seed: 20_260_728 })
    await hold(readsAnyBytes, { numRuns: 2000, seed: 20_260_728 })
  })

  test('knows CR, LF and CRLF as line ends, also mixed and cut in two', () => {
    expect(dataOf('data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\r\n\ndata: e\n\r\n')).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(parse(['data: a\r', '\ndata: b\r', '\n\r', '\n'].map(text => Buffer.from(text))).events).toEqual([
      { event: 'message', data: 'a\nb' },
    ])
  })

  test('knows no other line ends and no other white space', () => {
    expect(dataOf('data: a\u2028b\u0085c\vd\n\n')).toEqual(['a\u2028b\u0085c\vd'])
    expect(dataOf('data:\u00a0a\n\ndata:\tb\n\n')).toEqual(['\u00a0a', '\tb'])
  })

  test('drops one byte order mark at the start, however it is cut', () => {
    const bytes = Buffer.from('\ufeffdata: a\n\n')
    expect(parse([bytes]).events).toEqual([{ event: 'message', data: 'a' }])
    expect(parse([...bytes].map(byte => Uint8Array.of(byte))).events).toEqual([{ event: 'message', data: 'a' }])
    expect(dataOf('\ufeff\ufeffdata: a\n\ndata: b\n\n')).toEqual(['b'])
    expect(parse([Uint8Array.of(0xef), Buffer.from('data: a\n\ndata: b\n\n')]).events).toEqual([{ event: 'message', data: 'b' }])
  })

  test('keeps the id of an event without data and reports no message', () => {
    const seen = parseText('id: 5\nretry: 300\ndata: \n\n: open\nevent: x\n\n')
    expect(seen).toEqual({ events: [], faults: [], lastEventId: '5', retry: 300 })
    expect(parseText('id: 5\n\ndata: a\n\n').events).toEqual([{ event: 'message', data: 'a', id: '5' }])
  })

  test('ignores an id with NUL and forgets the id where it is emptied', () => {
    expect(parseText('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n').events.map(event => event.id)).toEqual(['1', '1', undefined])
  })

  test('discards an event that no empty line closes, and its id', () => {
    expect(parseText('id: 1\ndata: a\n\nid: 2\ndata: b\n')).toMatchObject({ events: [{ data: 'a' }], lastEventId: '1' })
  })

  test('hands on bytes as they came, invalid UTF-8 included', () => {
    const seen: Uint8Array[] = []
    const parser = createSseParser({ maxEventBytes: 100, onEvent: event => seen.push(event.data), onFault: () => {} })
    parser.push(Buffer.concat([Buffer.from('data: '), Uint8Array.of(0x22, 0xc0, 0xff, 0x22), Buffer.from('\n\n')]))
    expect(seen.map(data => [...data])).toEqual([[0x22, 0xc0, 0xff, 0x22]])
  })

  test('keeps the data of an event while the next ones arrive', () => {
    const seen: Uint8Array[] = []
    const parser = createSseParser({ maxEventBytes: 100, onEvent: event => seen.push(event.data), onFault: () => {} })
    for (const text of ['dat', 'a: one', '\n\ndata: tw', 'o\ndata: 2\n', '\ndata: three\n\n']) parser.push(Buffer.from(text))
    expect(seen.map(data => Buffer.from(data).toString())).toEqual(['one', 'two\n2', 'three'])
  })
})

describe('the caps', () => {
  const line = (length: number) => Buffer.from(`data: ${'x'.repeat(length)}\n\n`)

  test('let data of exactly the limit through and fault on one byte more', () => {
    expect(parse([line(50)], 50)).toMatchObject({ events: [{}], faults: [] })
    expect(parse([line(51)], 50)).toMatchObject({ events: [], faults: ['too-large'] })
    expect(parse([Buffer.from(`data:${'x'.repeat(51)}\n\n`)], 50)).toMatchObject({ events: [], faults: ['too-large'] })
  })

  test('hold for the lines of one event together', () => {
    expect(parse([Buffer.from(`${'data: 1234\n'.repeat(10)}\n`)], 49)).toMatchObject({ events: [{}], faults: [] })
    expect(parse([Buffer.from(`${'data: 1234\n'.repeat(10)}\n`)], 48)).toMatchObject({ events: [], faults: ['too-large'] })
    expect(parse([Buffer.from('data\n'.repeat(100))], 48).faults).toEqual(['too-large'])
  })

  test('hold for a line that never ends, of whatever kind, and are reported once', () => {
    for (const start of ['data: ', ': ', 'x']) {
      const chunks = [start, ...Array.from({ length: 100 }, () => 'y'.repeat(10)), '\n\ndata: late\n\n'].map(text => Buffer.from(text))
      expect(parse(chunks, 500)).toMatchObject({ events: [], faults: ['too-large'] })
    }
  })

  test('do not add up over events', () => {
    expect(parse([Buffer.concat(Array.from({ length: 50 }, () => line(40)))], 50).events.length).toBe(50)
  })

  test('a long line in single bytes is copied a bounded number of times', () => {
    const seen: number[] = []
    const parser = createSseParser({ maxEventBytes: 1e6, onEvent: event => seen.push(event.data.length), onFault: () => {} })
    for (const byte of line(200_000)) parser.push(Uint8Array.of(byte))
    expect(seen).toEqual([200_000])
  })
})

describe('formatSseEvent', () => {
  const written = (data: string, about?: { id?: string; event?: string }) =>
    Buffer.from(formatSseEvent(Buffer.from(data), about)).toString()

  test('writes one event', () => {
    expect(written('{"ü":1}')).toBe('data: {"ü":1}\n\n')
    expect(written('{}', { id: 'a-1', event: 'message' })).toBe('event: message\nid: a-1\ndata: {}\n\n')
  })

  test('is read back as it was, line breaks normalised', () => hold(isReadBack, { numRuns: 500, seed: 7 }))

  test('throws rather than let an id begin a new field', () => {
    expect(() => written('x', { id: '1\ndata: y' })).toThrow(TypeError)
    expect(() => written('x', { event: 'a\rb' })).toThrow(TypeError)
  })
})
