// Server-sent events, both ways: the WHATWG event-stream format on bytes, so that what is scanned is exactly what was sent.
import { gather } from './gather.ts'

/** `id`: the last event id so far, absent where it is empty. `retry`: ms, where this event set it. */
export interface SseEvent {
  readonly event: string
  readonly data: Uint8Array
  readonly id?: string
  readonly retry?: number
}

export interface SseOptions {
  /** Cap on the data of one event; a line of any kind may be as long as one that carries all of it. */
  readonly maxEventBytes: number
  /** Events with empty data are not reported; `lastEventId` and `retry` know of them. `data` may share memory with the chunks pushed. */
  onEvent(event: SseEvent): void
  /** Once. After it, everything is ignored. */
  onFault(fault: { readonly code: 'too-large'; readonly message: string }): void
}

export interface SseParser {
  push(chunk: Uint8Array): void
  /** The stream has ended: an event that is not closed by an empty line is discarded. */
  end(): void
  /** Id of the last event that was closed, also of one without data; empty where there was none. */
  lastEventId(): string
  /** Last reconnection time the stream asked for, ms. */
  retry(): number | undefined
}

const lf = 0x0a
const cr = 0x0d
const byteOrderMark = [0xef, 0xbb, 0xbf]
const noBytes = Buffer.alloc(0)
const lineFeed = Buffer.from('\n')
const longestTimer = 0x7fff_ffff

// Spec: WHATWG HTML, 9.2.6 Interpreting an event stream.
export function createSseParser(options: SseOptions): SseParser {
  const cap = options.maxEventBytes
  const lineCap = cap + 'data: '.length
  let done = false
  // How much of a byte order mark was seen at the very start; -1 when that is settled.
  let mark = 0
  let afterCr = false
  // The beginning of a line whose end has not arrived.
  const begun = gather()
  // The first data line is kept as it is; only an event with more of them is copied together.
  let first: Uint8Array | undefined
  const more = gather()
  let type = ''
  let idBuffer = ''
  let lastEventId = ''
  let eventRetry: number | undefined
  let retry: number | undefined

  function fail(message: string): void {
    done = true
    begun.take()
    discard()
    options.onFault({ code: 'too-large', message })
  }

  function discard(): void {
    first = undefined
    if (more.size() > 0) more.take()
    type = ''
    eventRetry = undefined
  }

  function dispatch(): void {
    lastEventId = idBuffer
    const data = more.size() > 0 ? more.take() : first
    const event = type === '' ? 'message' : type
    const about = { ...(lastEventId !== '' && { id: lastEventId }), ...(eventRetry !== undefined && { retry: eventRetry }) }
    discard()
    if (data !== undefined && data.length > 0) options.onEvent({ event, data, ...about })
  }

  function addData(value: Uint8Array): void {
    const before = first === undefined ? 0 : Math.max(more.size(), first.length) + 1
    if (before + value.length > cap) return fail(`an event with more than ${cap} bytes of data`)
    if (first === undefined) {
      first = value
      return
    }
    if (more.size() === 0) more.append(first)
    more.append(lineFeed)
    more.append(value)
  }

  function readLine(line: Buffer): void {
    if (line.length === 0) return dispatch()
    const colon = line.indexOf(0x3a)
    if (colon === 0) return
    // One character more than the longest name, so that no longer one can pass for it.
    const name = line.toString('latin1', 0, Math.min(colon < 0 ? line.length : colon, 6))
    const value = colon < 0 ? noBytes : line.subarray(line[colon + 1] === 0x20 ? colon + 2 : colon + 1)
    if (name === 'data') addData(value)
    else if (name === 'event') type = value.toString()
    else if (name === 'id' && !value.includes(0)) idBuffer = value.toString()
    else if (name === 'retry' && /^[0-9]+$/.test(value.toString('latin1'))) {
      eventRetry = Math.min(Number(value.toString('latin1')), longestTimer)
      retry = eventRetry
    }
  }

  function withoutMark(chunk: Buffer): Buffer {
    if (mark === 0 && chunk[0] !== byteOrderMark[0]) {
      mark = -1
      return chunk
    }
    let i = 0
    while (i < chunk.length && mark < 3 && chunk[i] === byteOrderMark[mark]) {
      i++
      mark++
    }
    if (mark === 3) {
      mark = -1
      return chunk.subarray(i)
    }
    if (i === chunk.length) return noBytes
    // What looked like a mark was none: it belongs to the first line.
    const seen = Buffer.from(byteOrderMark.slice(0, mark))
    mark = -1
    return Buffer.concat([seen, chunk.subarray(i)])
  }

  function readChunk(chunk: Buffer): void {
    let from = 0
    if (afterCr && chunk[0] === lf) from = 1
    afterCr = false
    let nextLf = chunk.indexOf(lf, from)
    let nextCr = chunk.indexOf(cr, from)
    while (!done) {
      if (nextLf >= 0 && nextLf < from) nextLf = chunk.indexOf(lf, from)
      if (nextCr >= 0 && nextCr < from) nextCr = chunk.indexOf(cr, from)
      const end = nextCr >= 0 && (nextLf < 0 || nextCr < nextLf) ? nextCr : nextLf
      const part = chunk.subarray(from, end < 0 ? chunk.length : end)
      if (begun.size() + part.length > lineCap) return fail(`a line longer than ${lineCap} bytes`)
      if (end < 0) {
        if (part.length > 0) begun.append(part)
        return
      }
      from = end + 1
      if (end === nextCr) {
        if (from === chunk.length) afterCr = true
        else if (chunk[from] === lf) from++
      }
      if (begun.size() === 0) readLine(part)
      else {
        begun.append(part)
        readLine(begun.take())
      }
    }
  }

  return {
    push(chunk) {
      if (done || chunk.length === 0) return
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      const rest = mark < 0 ? bytes : withoutMark(bytes)
      if (rest.length > 0) readChunk(rest)
    },
    end() {
      done = true
      begun.take()
      discard()
    },
    lastEventId: () => lastEventId,
    retry: () => retry,
  }
}

/** One event on the wire. Line breaks in `data` begin new data lines; in `id` and `event` they are a bug and throw. */
export function formatSseEvent(data: Uint8Array, about: { readonly id?: string; readonly event?: string } = {}): Uint8Array {
  let head = ''
  if (about.event !== undefined) head += `event: ${checked(about.event)}\n`
  if (about.id !== undefined) head += `id: ${checked(about.id)}\n`
  head += 'data: '
  const lines = data.includes(lf) || data.includes(cr) ? splitLines(data) : data
  const headLength = Buffer.byteLength(head)
  const event = Buffer.allocUnsafe(headLength + lines.length + 2)
  event.write(head, 0)
  event.set(lines, headLength)
  event[headLength + lines.length] = lf
  event[headLength + lines.length + 1] = lf
  return event
}

function splitLines(data: Uint8Array): Buffer {
  // latin1 maps every byte to one character and back.
  return Buffer.from(
    Buffer.from(data)
      .toString('latin1')
      .replace(/\r\n|\r|\n/g, '\ndata: '),
    'latin1',
  )
}

function checked(field: string): string {
  if (/[\r\n\0]/.test(field)) throw new TypeError('a line break in a field of an event')
  return field
}
