// The port behind which a log is kept: both stores keep the same promises.
import type { Append, GroupWriter, Stores } from 'mcpgw/plugin'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { leafOf, linkLeaf } from '../../../plugins/audit/chain.ts'
import {
  type CheckpointRow,
  checkpointRow,
  closeStream,
  endStream,
  type LogReader,
  type LogStore,
  openStream,
  ROWS,
  type StoredRecord,
  subjectRow,
  tombstoneRow,
} from '../../../plugins/audit/store/log-store.ts'
import { openStore } from '../../../plugins/audit/store/open.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { parseConfig, tempDir } from './gateway.ts'

const { signal } = new AbortController()
const NONE = '0'.repeat(64)
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

/** A stream as a gateway writes it, but for what its records say. */
class Stream {
  readonly name: string
  readonly writer: GroupWriter
  private seq = 0
  private link: string
  constructor(name: string, writer: GroupWriter, link: string) {
    this.name = name
    this.link = link
    this.writer = writer
  }
  record(type: string, at: number, call = '', body = `{"n":${this.seq + 1},"text":"é\u{1f600}\\"\\\\ \\u0000"}`): Append {
    const prev = this.link
    this.seq += 1
    this.link = linkLeaf(prev, leafOf(`\0${body}`))
    return { sql: ROWS.record, params: [this.name, this.seq, at, type, call, prev, this.link, body] }
  }
  append(...rows: Append[]): Promise<void> {
    return this.writer.append(rows)
  }
}

describe.each(['sqlite', 'postgres'] as const)('a log in %s', kind => {
  describe.skipIf(kind === 'postgres' && server === undefined)('as a store', () => {
    let stores: Stores
    let store: LogStore
    let url: string | undefined
    beforeAll(async () => {
      url = kind === 'postgres' ? await createDatabase() : undefined
    })
    beforeEach(async () => {
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
      stores = createStores({ dataDir: tempDir(), url })
      store = await open()
    })
    async function open(): Promise<LogStore> {
      const one = openStore(stores, await parseConfig({ durability: 'os' }))
      opened.push(one)
      return one
    }
    async function start(name: string, at: number): Promise<Stream> {
      const writer = await store.writer(name)
      opened.push(writer)
      const reader = await store.reader()
      const last = await reader.last()
      await reader.close()
      const stream = new Stream(name, writer, last === undefined ? NONE : Buffer.from(last.hash).toString('hex'))
      await stream.append(stream.record('stream.start', at), openStream(name))
      return stream
    }
    const places = (records: readonly StoredRecord[]): string[] => records.map(one => `${one.stream}:${one.seq}`)
    async function readForward(reader: LogReader, from?: string): Promise<{ places: string[]; cursor: string | undefined }> {
      const found: string[] = []
      let cursor = from
      for await (const page of reader.forward(signal, from)) {
        found.push(...places(page.records))
        cursor = page.cursor
      }
      return { places: found, cursor }
    }

    test('gives back what was written, byte for byte', async () => {
      const a = await start('a', 1000)
      const row = a.record('intent', 1001, 'call "1"\\')
      await a.append(row)
      const reader = await store.reader()
      const { stream, seq, at, type, call, prev, hash, body } = (await reader.find('a', 2))!
      const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
      expect([stream, seq, at, type, call, toHex(prev), toHex(hash), Buffer.from(body).toString()]).toEqual(row.params)
      expect(await reader.head('a')).toEqual({ seq: 2, link: row.params[6] })
      expect([await reader.find('a', 3), await reader.find('b', 1), await reader.head('b')]).toEqual([undefined, undefined, undefined])
      expect(await reader.count()).toBe(2)
      await reader.close()
    })

    test('a snapshot is of one moment: what was written, and what was taken out since, changes nothing in it', async () => {
      const a = await start('a', 1000)
      await a.append(a.record('x', 1001), a.record('x', 1002))
      const reader = await store.reader('snapshot')
      const { places: before } = await readForward(reader)
      const retention = await store.retention()
      const tombstone = { stream: 'a', through: 2, at: 1003, link: NONE, frontier: '', note: '' }
      await retention.remove({ tombstone, records: 2, between: kind === 'sqlite' ? [1, 2] : undefined })
      await retention.close()
      await a.append(a.record('x', 1004))
      expect((await readForward(reader)).places).toEqual(before)
      expect([await reader.tombstones(), await reader.count(), (await reader.last())?.seq]).toEqual([[], 3, 3])
      await reader.close()
      const later = await store.reader()
      expect((await readForward(later)).places).toEqual(['a:3', 'a:4'])
      expect(await later.tombstones()).toMatchObject([{ through: 2 }])
      await later.close()
    })

    test('forward: every record, each stream in order, and from a cursor on only what came later, in another process too', async () => {
      const b = await start('b', 1000)
      const a = await start('a', 1001)
      await b.append(b.record('x', 1002), b.record('x', 1003))
      await a.append(a.record('x', 1004))
      const reader = await store.reader()
      const all = await readForward(reader)
      expect(all.places.toSorted()).toEqual(['a:1', 'a:2', 'b:1', 'b:2', 'b:3'])
      for (const name of ['a', 'b']) {
        const own = all.places.filter(place => place.startsWith(name))
        expect(own).toEqual(own.toSorted())
      }
      // b was there when a began: what a continues is met before a.
      expect(all.places.indexOf('b:1')).toBeLessThan(all.places.indexOf('a:1'))
      await b.append(b.record('x', 1005))
      await a.append(a.record('x', 1006))
      const c = await start('c', 1007)
      await reader.close()
      const later = await (await open()).reader()
      const rest = await readForward(later, all.cursor)
      expect(rest.places.toSorted()).toEqual(['a:3', 'b:4', 'c:1'])
      expect((await readForward(later, rest.cursor)).places).toEqual([])
      await c.append(c.record('x', 1008))
      expect((await readForward(later, rest.cursor)).places).toEqual(['c:2'])
      await later.close()
    })

    test('pages: thousands of records come in parts, none twice, and a stream can be read from its middle', async () => {
      const a = await start('a', 1000)
      const many = Array.from({ length: 4500 }, (_, i) => a.record('x', 1000 + Math.floor(i / 1000), '', '{}'))
      await a.append(...many)
      const reader = await store.reader()
      const sizes: number[] = []
      const seen = new Set<number>()
      for await (const { records } of reader.forward(signal)) {
        sizes.push(records.length)
        for (const { seq } of records) seen.add(seq)
      }
      expect([sizes.reduce((a, b) => a + b), seen.size]).toEqual([4501, 4501])
      expect(Math.max(...sizes)).toBeLessThan(4501)
      const back: number[] = []
      for await (const records of reader.backward({ since: 1001, until: 1003 }, signal)) back.push(...records.map(one => one.seq))
      expect(back).toEqual(Array.from({ length: 3000 }, (_, i) => 4001 - i))
      const rest: number[] = []
      for await (const records of reader.stream('a', 2400, signal)) rest.push(...records.map(one => one.seq))
      expect(rest).toEqual(Array.from({ length: 4501 - 2399 }, (_, i) => 2400 + i))
      const stopping = new AbortController()
      let pages = 0
      for await (const _ of reader.forward(stopping.signal)) {
        pages += 1
        stopping.abort()
      }
      expect(pages).toBe(1)
      await reader.close()
    })

    test('pages end where they have megabytes, and each record is in one', async () => {
      const a = await start('a', 1000)
      const rows = Array.from({ length: 60 }, (_, i) => a.record('x', 1001 + i, '', `{"text":"${'é'.repeat(i % 3 === 0 ? 250_000 : 10)}"}`))
      for (const row of rows) await a.append(row)
      const reader = await store.reader()
      const ways = [reader.stream('a', 1, signal), reader.backward({ since: 0, until: 5000 }, signal)]
      for (const way of ways) {
        const seen: number[] = []
        for await (const page of way) {
          seen.push(...page.map(one => one.seq))
          const bytes = page.slice(0, -1).reduce((sum, one) => sum + one.body.length, 0)
          if (kind === 'postgres') expect(bytes).toBeLessThan(4_194_304)
        }
        expect(seen.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1))
        expect([seen, seen.toReversed()]).toContainEqual(seen.toSorted((x, y) => x - y))
      }
      expect((await readForward(reader)).places).toHaveLength(61)
      await reader.close()
    })

    test('behind: how many records come after a cursor, and none for a cursor at the end', async () => {
      const a = await start('a', 1000)
      const b = await start('b', 1001)
      await a.append(a.record('x', 1002), a.record('x', 1003))
      const reader = await store.reader()
      expect(await reader.behind()).toBe(4)
      const cursors: string[] = []
      for await (const page of reader.forward(signal)) for (const record of page.records) cursors.push(page.cursorBehind(record))
      expect(await Promise.all(cursors.map(cursor => reader.behind(cursor)))).toEqual([3, 2, 1, 0])
      await b.append(b.record('x', 1004), b.record('x', 1005), b.record('x', 1006))
      expect(await reader.behind(cursors.at(-1))).toBe(3)
      const c = await start('c', 1007)
      await c.append(c.record('x', 1008))
      expect(await reader.behind(cursors.at(-1))).toBe(5)
      const { cursor } = await readForward(reader)
      expect(await reader.behind(cursor)).toBe(0)
      await reader.close()
    })

    test('behind: what was taken out is neither counted nor waited for', async () => {
      const a = await start('a', 1000)
      await a.append(...Array.from({ length: 9 }, (_, i) => a.record('x', 1001 + i)))
      const reader = await store.reader()
      const cursors: string[] = []
      for await (const page of reader.forward(signal)) for (const record of page.records) cursors.push(page.cursorBehind(record))
      const retention = await store.retention()
      await retention.remove({
        tombstone: { stream: 'a', through: 4, at: 2000, link: 'aa', frontier: 'bb', note: 'n' },
        records: 4,
        between: [(await reader.find('a', 1))?.n ?? 1, (await reader.find('a', 4))?.n ?? 4],
      })
      await retention.close()
      expect(await reader.behind()).toBe(6)
      expect(await reader.behind(cursors[1])).toBe(6)
      expect(await reader.behind(cursors[6])).toBe(3)
      await reader.close()
    })

    test('subjects of chosen ids: those that are there, and no others', async () => {
      const writer = await store.writer('a')
      opened.push(writer)
      const rows = ['0a', '0b', '0c'].map(id => ({ id, lookup: `l${id}`, key: 'k', who: 'w' }))
      await writer.append(rows.map(subjectRow))
      const reader = await store.reader()
      const ids = (await reader.subjects(['0b', 'none', '0c', '0b'])).map(one => one.id)
      expect(ids.toSorted()).toEqual(['0b', '0c'])
      expect(await reader.subjects([])).toEqual([])
      expect(await reader.subjects()).toHaveLength(3)
      await reader.close()
    })

    test('the last record is the newest of all streams', async () => {
      const a = await start('a', 1000)
      const b = await start('b', 1001)
      await a.append(a.record('x', 1002))
      const reader = await store.reader()
      expect(places([(await reader.last())!])).toEqual(['a:2'])
      await b.append(b.record('x', 1003))
      expect(places([(await reader.last())!])).toEqual(['b:2'])
      await reader.close()
    })

    test('open streams: live while their writer is, ended where they were ended in order, gone once another refers to them', async () => {
      const a = await start('a', 1000)
      const b = await start('b', 1001)
      const reader = await store.reader()
      const look = (): Promise<unknown> => reader.openStreams()
      const live = { isLive: true, isEnded: false }
      expect(await look()).toEqual([
        { name: 'a', ...live },
        { name: 'b', ...live },
      ])
      await a.append(a.record('stream.stop', 1002), endStream('a'))
      await a.writer.close()
      await expect.poll(look).toEqual([
        { name: 'a', isLive: false, isEnded: true },
        { name: 'b', ...live },
      ])
      await b.append(b.record('x', 1003), closeStream('a'))
      expect(await look()).toEqual([{ name: 'b', ...live }])
      await reader.close()
    })

    test('open calls: the intents of a stream that nothing ended', async () => {
      const a = await start('a', 1000)
      await a.append(a.record('intent', 1001, 'c1'), a.record('intent', 1002, 'c2'), a.record('intent', 1003, 'c3'))
      await a.append(a.record('outcome', 1004, 'c2'), a.record('outcome.withheld', 1005, 'c2'))
      const reader = await store.reader()
      expect((await reader.openCalls('a')).map(one => one.call)).toEqual(['c1', 'c3'])
      expect(await reader.openCalls('b')).toEqual([])
      await reader.close()
    })

    test('only one record continues nothing', async () => {
      await start('a', 1000)
      const writer = await store.writer('b')
      opened.push(writer)
      const late = new Stream('b', writer, NONE)
      await expect(late.append(late.record('stream.start', 1001), openStream('b'))).rejects.toThrow(/unique/i)
    })

    test('subjects, checkpoints and tombstones: each once, the largest of a stream last', async () => {
      const a = await start('a', 1000)
      const subject = { id: 's1', lookup: 'ab', key: 'a2V5', who: 'd2hv' }
      const checkpoint = (stream: string, size: number, at: number) => ({ stream, size, at, frontier: 'ff', note: 'n\n\n— k s\n' })
      const tombstone = { stream: 'a', through: 1, at: 5, link: 'aa', frontier: 'ff', note: 'n' }
      const rows = [
        subjectRow(subject),
        checkpointRow(checkpoint('a', 1, 10)),
        checkpointRow(checkpoint('a', 9, 12)),
        checkpointRow(checkpoint('b', 4, 11)),
        tombstoneRow(tombstone),
        tombstoneRow({ ...tombstone, through: 7 }),
      ]
      await a.append(...rows)
      // The fate of an append may have been unknown: the same rows may come again.
      await a.append(...rows)
      const reader = await store.reader()
      expect(await reader.subjects()).toEqual([subject])
      const checkpoints: CheckpointRow[] = []
      for await (const page of reader.checkpoints()) checkpoints.push(...page)
      expect(checkpoints).toEqual([checkpoint('a', 1, 10), checkpoint('b', 4, 11), checkpoint('a', 9, 12)])
      expect(await reader.latestCheckpoint('a')).toEqual(checkpoint('a', 9, 12))
      expect(await reader.latestCheckpoint('c')).toBeUndefined()
      expect(await reader.tombstones()).toEqual([{ ...tombstone, through: 7 }])
      await reader.close()
    })

    test('where nothing was written there is nothing to read, and the message names the place', async () => {
      await expect(store.reader()).rejects.toMatchObject({
        code: 'store-missing',
        message: expect.stringContaining(store.name) as string,
      })
    })
  })
})
