// Event streams and what is kept of them, without a network: whatever order things happen in, each message comes once, in order, on its own stream.
import type { ServerResponse } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EventLog, EventStore } from '../../../core/downstream/event-store.ts'
import { EventStream } from '../../../core/downstream/event-stream.ts'
import { Unread } from '../../../core/downstream/unread.ts'
import { createSseParser } from '../../../core/mcp/sse.ts'

const plenty = { events: 100_000, bytes: 1e9, total: 1e9 }
const unread = new Unread({ each: 1e9, total: 1e9, stallMs: 60_000 })
const bytes = (text: string): Uint8Array => Buffer.from(text)

/** A connection that takes everything; what of it reached the client is decided when it breaks. */
class Wire {
  readonly written: Uint8Array[] = []
  writableEnded = false
  readonly req = { socket: { destroyed: false } }
  writableLength = 0
  writableNeedDrain = false
  get destroyed(): boolean {
    return this.req.socket.destroyed
  }
  set destroyed(is: boolean) {
    this.req.socket.destroyed = is
  }
  writeHead(): void {}
  flushHeaders(): void {}
  write(chunk: Uint8Array | string, encoding?: BufferEncoding): boolean {
    if (this.writableEnded || this.destroyed) throw new Error('written to a connection that has ended')
    this.written.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
    return true
  }
  end(chunk?: string): void {
    if (chunk !== undefined) this.write(chunk)
    this.writableEnded = true
  }
  get response(): ServerResponse {
    return this as unknown as ServerResponse
  }
}

/** What a client makes of the writes that reached it. */
function read(chunks: readonly Uint8Array[]): { messages: string[]; lastId: string } {
  const messages: string[] = []
  const parser = createSseParser({
    maxEventBytes: 1e9,
    onEvent: event => messages.push(Buffer.from(event.data).toString()),
    onFault: fault => {
      throw new Error(fault.message)
    },
  })
  for (const chunk of chunks) parser.push(chunk)
  return { messages, lastId: parser.lastEventId() }
}

/** A stream with its client, who knows what he got and the last id of it. */
class Pair {
  readonly stream: EventStream
  readonly sent: string[] = []
  readonly got: string[] = []
  wire: Wire | undefined = new Wire()
  lastId = ''
  constructor(log: EventLog) {
    this.stream = new EventStream(unread, log)
    this.stream.begin(this.wire!.response)
  }
  /** The connection breaks; the last `lost` writes never arrive. */
  drop(lost: number): void {
    if (this.wire === undefined) return
    this.wire.destroyed = true
    this.take(this.wire.written.slice(0, Math.max(0, this.wire.written.length - lost)))
  }
  take(chunks: readonly Uint8Array[]): void {
    const { messages, lastId } = read(chunks)
    this.got.push(...messages)
    if (lastId !== '') this.lastId = lastId
    this.wire = undefined
  }
  /** False where the id is refused. */
  comeBack(log: EventLog): boolean {
    if (this.lastId === '') return false
    const found = log.find(this.lastId)
    if (found === undefined) return false
    const before = this.wire
    const wire = new Wire()
    found.stream.resume(wire.response, found.after)
    if (before !== undefined) this.take([])
    this.wire = wire
    return true
  }
}

type Step = { readonly do: 'say' | 'drop' | 'resume' | 'finish'; readonly at: number; readonly lost: number }
const steps = fc.array(
  fc.record({ do: fc.constantFrom('say', 'say', 'drop', 'resume', 'finish'), at: fc.nat(3), lost: fc.nat(3) }) as fc.Arbitrary<Step>,
  { maxLength: 120 },
)

function play(log: EventLog, pairs: readonly Pair[], all: readonly Step[], after: () => void): void {
  const finished = new Set<number>()
  for (const [n, { do: what, at, lost }] of all.entries()) {
    const pair = pairs[at]!
    if (what === 'drop') pair.drop(lost)
    // A client that is still connected comes back only once its connection has broken.
    else if (what === 'resume' && pair.wire === undefined) pair.comeBack(log)
    else if (!finished.has(at) && what !== 'resume') {
      pair.sent.push(`${at}:${n}`)
      if (what === 'say') pair.stream.send(bytes(`${at}:${n}`))
      else {
        pair.stream.finish(bytes(`${at}:${n}`))
        finished.add(at)
      }
    }
    after()
  }
}

describe('whatever is said, lost and resumed', () => {
  it('each message arrives once, in order, on its own stream', () => {
    fc.assert(
      fc.property(steps, all => {
        const log = new EventStore(plenty).open(true)
        const pairs = [0, 1, 2, 3].map(() => new Pair(log))
        // The id to come back with is the first thing on every stream.
        for (const pair of pairs) pair.lastId = read(pair.wire!.written).lastId
        play(log, pairs, all, () => {})
        for (const pair of pairs) {
          pair.drop(0)
          expect(pair.comeBack(log)).toBe(true)
          pair.drop(0)
          expect(pair.got).toEqual(pair.sent)
        }
      }),
    )
  })

  it('within tight bounds memory stays bounded; what arrives is in order, once, and never of another stream', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 3000 }), (all, events, total) => {
        const store = new EventStore({ events, bytes: 2000, total })
        const log = store.open(true)
        const other = store.open(true)
        const pairs = [0, 1, 2, 3].map(i => new Pair(i === 3 ? other : log))
        play(log, pairs, all, () => expect(store.bytes).toBeLessThanOrEqual(Math.min(total, 4000)))
        for (const pair of pairs) {
          pair.drop(0)
          if (pair.comeBack(log)) pair.drop(0)
          // In order, without repetition: what is missing was dropped.
          expect(pair.got).toEqual(pair.sent.filter(one => pair.got.includes(one)))
        }
        log.end()
        other.end()
        expect(store.bytes).toBe(0)
      }),
    )
  })
})

describe('an event id', () => {
  it('of another session, of nothing, of the future, or written another way names nothing', () => {
    const store = new EventStore(plenty)
    const [mine, theirs] = [store.open(true), store.open(true)]
    const pair = new Pair(mine)
    pair.stream.send(bytes('a'))
    const id = read(pair.wire!.written).lastId
    expect(mine.find(id)).toEqual({ stream: pair.stream, after: 1 })
    new Pair(theirs).stream.send(bytes('b'))
    expect(theirs.find(id)).toBe(undefined)
    const [tag] = id.split('.')
    for (const forged of [
      '',
      '1',
      id.replace(/.$/, '2'),
      `${tag}.2.0`,
      `${tag}.0.0`,
      `${tag}.1`,
      `${tag}.1.-1`,
      `${tag}.1.1e0`,
      ` ${id}`,
      `${id}\n`,
    ])
      expect([forged, mine.find(forged)]).toEqual([forged, undefined])
  })

  it('is unique over all streams of a session', () => {
    const log = new EventStore(plenty).open(true)
    const pairs = Array.from({ length: 20 }, () => new Pair(log))
    for (const [i, pair] of pairs.entries()) for (let n = 0; n < i; n++) pair.stream.send(bytes('x'))
    const ids = pairs.flatMap(pair => pair.wire!.written.map(chunk => /^id: (.*)$/m.exec(Buffer.from(chunk).toString())![1]))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('what is kept', () => {
  it('of one session crowds out no more of the others than all may hold together, oldest first', () => {
    const store = new EventStore({ events: 10, bytes: 1e6, total: 3 * 300 })
    const logs = [store.open(false), store.open(false), store.open(false), store.open(false)]
    const pairs = logs.map(log => new Pair(log))
    for (const pair of pairs) pair.stream.finish(bytes('x'))
    const ids = pairs.map(pair => read(pair.wire!.written).lastId)
    expect(logs.map((log, i) => log.find(ids[i]!) !== undefined)).toEqual([false, true, true, true])
  })

  it('is nothing of a finished stream that said nothing, and nothing after the end of the session', () => {
    const store = new EventStore(plenty)
    const log = store.open(true)
    const pair = new Pair(log)
    const id = read(pair.wire!.written).lastId
    pair.stream.finish(bytes(''))
    expect(log.find(id)).toBe(undefined)
    const late = new Pair(log)
    log.end()
    late.stream.send(bytes('late'))
    expect(store.bytes).toBe(0)
  })

  it('is the event alone, never a part of a larger block of memory, and byte for byte what was said', () => {
    const pair = new Pair(new EventStore(plenty).open(false))
    const { wire } = pair
    for (const size of [1, 100, 5000, 100_000]) {
      let given: Uint8Array | string = ''
      wire!.write = (chunk, encoding) => {
        given = chunk
        return Wire.prototype.write.call(wire, chunk, encoding)
      }
      const text = 'ä𝄞\u2028'.padEnd(size)
      pair.stream.send(bytes(text))
      expect(typeof given === 'string' || (given as Uint8Array).buffer.byteLength === (given as Uint8Array).length).toBe(true)
      expect(read(wire!.written).messages.at(-1)).toBe(text)
    }
  })

  it('a stream of an older revision keeps nothing, and what is said while nobody listens is lost', () => {
    const stream = new EventStream(unread, undefined)
    const wire = new Wire()
    stream.begin(wire.response)
    stream.send(bytes('a'))
    expect(Buffer.concat(wire.written).toString()).toBe('data: a\n\n')
    wire.destroyed = true
    expect([stream.open, stream.away]).toEqual([false, true])
    stream.send(bytes('b'))
    expect(wire.written).toHaveLength(1)
  })
})

describe('a connection', () => {
  it('that takes over is told what nobody was told yet, and the one before ends', () => {
    const pair = new Pair(new EventStore(plenty).open(true))
    const first = pair.wire!
    pair.stream.send(bytes('a'))
    first.destroyed = true
    pair.stream.send(bytes('b'))
    const second = new Wire()
    pair.stream.begin(second.response)
    expect(read(second.written).messages).toEqual(['b'])
    const third = new Wire()
    pair.stream.begin(third.response)
    expect(second.writableEnded).toBe(true)
    pair.stream.send(bytes('c'))
    expect([read(second.written).messages, read(third.written).messages]).toEqual([['b'], ['c']])
  })

  it('that the gateway lets go is told when to come back, and the stream goes on', () => {
    const log = new EventStore(plenty).open(true)
    const pair = new Pair(log)
    const wire = pair.wire!
    pair.stream.release()
    expect(wire.writableEnded).toBe(true)
    expect(Buffer.concat(wire.written).toString()).toMatch(/^id: \S+\ndata: \n\nretry: 3000\n\n$/)
    pair.stream.send(bytes('a'))
    pair.take(wire.written)
    pair.comeBack(log)
    expect(read(pair.wire!.written).messages).toEqual(['a'])
  })

  it('that is cut while it is told what it missed loses nothing: the next one is told the same', () => {
    const pair = new Pair(new EventStore(plenty).open(true))
    pair.drop(0)
    for (const text of ['a', 'b', 'c']) pair.stream.send(bytes(text))
    const cut = new Wire()
    cut.write = function (this: Wire, chunk) {
      Wire.prototype.write.call(this, chunk, 'latin1')
      if (read([Buffer.from(chunk)]).messages[0] === 'b') this.destroyed = true
      return true
    }
    pair.stream.begin(cut.response)
    expect(read(cut.written).messages).toEqual(['a', 'b'])
    pair.stream.send(bytes('d'))
    const next = new Wire()
    pair.stream.begin(next.response)
    expect(read(next.written).messages).toEqual(['a', 'b', 'c', 'd'])
  })

  it('that has something unread gets no keep-alive, any other does', () => {
    const pair = new Pair(new EventStore(plenty).open(false))
    pair.stream.keepAlive()
    pair.wire!.writableNeedDrain = true
    pair.stream.keepAlive()
    expect(Buffer.concat(pair.wire!.written).toString()).toBe(': keep-alive\n\n')
  })
})
