// Event streams of any shape in any chunks, and what the parser owes each: the WHATWG algorithm, written down naively, is the judge.
import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { createSseParser, formatSseEvent } from '../../../core/mcp/sse.ts'
import type { Law } from '../../fuzz/law.ts'

export interface Seen {
  events: { event: string; data: string; id?: string; retry?: number }[]
  faults: string[]
  lastEventId: string
  retry: number | undefined
}

export function parse(chunks: readonly Uint8Array[], maxEventBytes = 1000): Seen {
  const events: Seen['events'] = []
  const faults: string[] = []
  const parser = createSseParser({
    maxEventBytes,
    onEvent: event => events.push({ ...event, data: Buffer.from(event.data).toString() }),
    onFault: fault => faults.push(fault.code),
  })
  for (const chunk of chunks) parser.push(chunk)
  parser.end()
  return { events, faults, lastEventId: parser.lastEventId(), retry: parser.retry() }
}

/** WHATWG HTML 9.2.6 over the decoded text, step by step; events with empty data are left out as the parser does. */
function model(bytes: Uint8Array): Seen {
  const text = new TextDecoder().decode(bytes)
  const lines = text.split(/\r\n|\r|\n/)
  lines.pop()
  const events: Seen['events'] = []
  let [data, type, idBuffer, lastEventId] = ['', '', '', '']
  let retry: number | undefined
  let eventRetry: number | undefined
  for (const line of lines) {
    if (line === '') {
      lastEventId = idBuffer
      const joined = data.replace(/\n$/, '')
      if (joined !== '') {
        events.push({
          event: type || 'message',
          data: joined,
          ...(lastEventId && { id: lastEventId }),
          ...(eventRetry !== undefined && { retry: eventRetry }),
        })
      }
      ;[data, type, eventRetry] = ['', '', undefined]
      continue
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!
    if (field === 'event') type = value!
    if (field === 'data') data += `${value}\n`
    if (field === 'id' && !value!.includes('\0')) idBuffer = value!
    if (field === 'retry' && /^[0-9]+$/.test(value!)) {
      eventRetry = Number(value)
      retry = eventRetry
    }
  }
  return { events, faults: [], lastEventId, retry }
}

const fields = [
  'data',
  'data:',
  'data: ',
  'data:  x',
  'data: {"a":1}',
  'data: ü😀',
  'id',
  'id: 7',
  'id:',
  'id: a\0b',
  'event: ping',
  'event',
]
const oddities = [
  'retry: 10',
  'retry: 1x',
  'retry:',
  ': note',
  ':',
  'Data: x',
  ' data: x',
  'datax: y',
  'data : x',
  'x',
  'data:\ufeffz',
  '\ufeff',
]
const breaks = ['\n', '\n', '\r', '\r\n', '\n\n', '\n\n', '\r\r', '\r\n\r\n', '\n\r', '\u2028', '\0', ' ', ':']
const text = fc.constantFrom(...fields, ...oddities, ...breaks).map(piece => Buffer.from(piece).toString('latin1'))
/** Bytes, one a character. */
const stream = fc.array(text, { maxLength: 40 }).map(pieces => pieces.join(''))
const broken = fc
  .array(fc.oneof({ weight: 8, arbitrary: text }, fc.constantFrom('\xff', '\xc0', '\xe2\x82', '\xed\xa0\x80', '\xef\xbb', '\xf4\x90')), {
    maxLength: 40,
  })
  .map(pieces => pieces.join(''))

interface Cut {
  readonly bytes: string
  /** Lengths of the first chunks. */
  readonly chunks: readonly number[]
  readonly isBytewise: boolean
}
const cutOf = (bytes: fc.Arbitrary<string>): fc.Arbitrary<Cut> =>
  fc.record({ bytes, chunks: fc.array(fc.nat(60), { maxLength: 12 }), isBytewise: fc.boolean() })

const readsAsTheModel = (input: fc.Arbitrary<Cut>): Law<Cut> => ({
  input,
  holds({ bytes: latin1, chunks: sizes, isBytewise }) {
    const bytes = Buffer.from(latin1, 'latin1')
    const chunks: Buffer[] = []
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = isBytewise ? 1 : (sizes[i] ?? bytes.length)
      chunks.push(bytes.subarray(at, at + size))
      at += size
    }
    deepStrictEqual(parse(chunks), model(bytes))
  },
})

export const readsText: Law<Cut> = readsAsTheModel(cutOf(stream))
/** With bytes that are no UTF-8. */
export const readsAnyBytes: Law<Cut> = readsAsTheModel(cutOf(broken))

export const isReadBack: Law<string> = {
  input: fc.string({ unit: fc.constantFrom('a', ' ', ':', '\n', '\r', 'ü', '\r\n', 'data: '), minLength: 1, maxLength: 30 }),
  holds(data) {
    const lines = data.replace(/\r\n|\r/g, '\n')
    deepStrictEqual(
      parse([formatSseEvent(Buffer.from(data), { id: '1', event: 'x' })]).events,
      lines === '' ? [] : [{ event: 'x', data: lines, id: '1' }],
    )
  },
}
