// Checkpoints: when there is one, what it says, that its tree is that of the stored records whatever failed, and that calls never wait for it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Clock, GroupWriter, Stores } from 'mcpgw/plugin'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { leafOfBody } from '../../../plugins/audit/chain.ts'
import { checkLog, type Source } from '../../../plugins/audit/check-log.ts'
import { openCheckpoint, readRow } from '../../../plugins/audit/checkpoint-row.ts'
import { openStored } from '../../../plugins/audit/commands/verify-source.ts'
import { digestOf, type Trusted } from '../../../plugins/audit/note.ts'
import { readVerifiers } from '../../../plugins/audit/signing-key.ts'
import type { CheckpointRow, StoredRecord } from '../../../plugins/audit/store/log-store.ts'
import { sqliteStore } from '../../../plugins/audit/store/sqlite.ts'
import { treeOf } from '../../../plugins/audit/tree.ts'
import { call, createExchange, realClock, runCommand, startGateway, tempDir } from './gateway.ts'

interface Read {
  readonly rows: readonly CheckpointRow[]
  readonly records: readonly StoredRecord[]
}

async function readLog(dir: string): Promise<Read> {
  const reader = await sqliteStore(createStores({ dataDir: dir }), 'audit.db', 'os').reader()
  const records: StoredRecord[] = []
  for await (const page of reader.forward(new AbortController().signal)) records.push(...page.records)
  const rows: CheckpointRow[] = []
  for await (const page of reader.checkpoints()) rows.push(...page)
  await reader.close()
  return { rows, records }
}

const streamOf = ({ records }: Read, stream: string): StoredRecord[] => records.filter(one => one.stream === stream)

/** Every row is signed, says what its note says, and is the tree of the records that are stored. */
function expectTrue(dir: string, read: Read): void {
  const trusted = readVerifiers(join(dir, 'audit.db.verifier'))
  if (typeof trusted === 'string') throw new Error(trusted)
  expect(read.rows.length).toBeGreaterThan(0)
  for (const row of read.rows) {
    const state = readRow(row, note => openCheckpoint(note, trusted))
    const records = streamOf(read, row.stream).slice(0, row.size)
    const tree = treeOf(records.map(one => leafOfBody(one.body)))
    expect(state).toEqual({ stream: row.stream, size: records.length, root: tree.root(), frontier: tree.frontier() })
  }
}

/** A killed process drops its lock and writes nothing more. */
const kill = (dir: string): void => {
  for (const name of readdirSync(dir)) if (name.includes('-live-')) rmSync(join(dir, name))
}

/** Time that the test moves. */
function createTime(): { clock: Clock; pass(ms: number): Promise<void> } {
  let now = 1e12
  let timers: { at: number; run: () => void }[] = []
  return {
    clock: {
      now: () => now,
      mono: () => now - 1e12,
      after(ms, run) {
        const timer = { at: now + ms, run }
        timers.push(timer)
        return () => {
          timers = timers.filter(one => one !== timer)
        }
      },
    },
    async pass(ms) {
      now += ms
      const due = timers.filter(one => one.at <= now)
      timers = timers.filter(one => one.at > now)
      for (const one of due) one.run()
      for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
    },
  }
}

describe('a checkpoint is made', () => {
  test('at the start and at the stop: the last one covers the stream to its end', async () => {
    const gateway = await startGateway()
    await call(gateway, createExchange())
    await gateway.stop()
    const read = await readLog(gateway.dir)
    expect(read.rows.map(row => row.size)).toEqual([2, read.records.length])
    expect(read.records.at(-1)?.type).toBe('stream.stop')
    expectTrue(gateway.dir, read)
  })

  test('after so many records, and of each but the last there is a record with size, root and the digest of its note', async () => {
    const gateway = await startGateway({ config: { checkpoints: { records: 10 } } })
    for (let i = 0; i < 40; i++) await call(gateway, createExchange())
    await gateway.stop()
    const read = await readLog(gateway.dir)
    expect(read.rows.length).toBeGreaterThanOrEqual(8)
    expectTrue(gateway.dir, read)
    const told = read.records.filter(one => one.type === 'audit.checkpoint').map(one => JSON.parse(Buffer.from(one.body).toString()).detail)
    expect(told.map(one => one.size)).toEqual(read.rows.slice(0, -1).map(row => row.size))
    for (const one of told)
      expect(one).toMatchObject({ root: expect.stringMatching(/^[0-9a-f]{64}$/), note: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
  })

  test('after so long where anything has changed, and not where nothing has but its own record', async () => {
    const { clock, pass } = createTime()
    const gateway = await startGateway({ clock, config: { checkpoints: { every: '60s' } } })
    const count = async (): Promise<number> => (await readLog(gateway.dir)).rows.length
    expect(await count()).toBe(1)
    await pass(60_000)
    await pass(60_000)
    expect(await count()).toBe(1)
    await gateway.hooks.onSealed!(createExchange())
    await pass(59_000)
    expect(await count()).toBe(1)
    await pass(1000)
    expect(await count()).toBe(2)
  })
})

test('a checkpoint that is signed while the log is verified is no fault', async () => {
  const gateway = await startGateway({ config: { checkpoints: { records: 10 } } })
  const stored = await openStored(sqliteStore(createStores({ dataDir: gateway.dir }), 'audit.db', 'os'))
  const source: Source = {
    ...stored,
    async *pages(signal) {
      for (let i = 0; i < 20; i++) await call(gateway, createExchange())
      yield* stored.pages(signal)
    },
  }
  const keys = readVerifiers(join(gateway.dir, 'audit.db.verifier')) as readonly Trusted[]
  const verdict = await checkLog({ source, keys, trusted: [], signal: new AbortController().signal })
  await source.close()
  expect(verdict).toMatchObject({ kind: 'consistent', broken: undefined, checkpoints: 1 })
  const told = (await readLog(gateway.dir)).records.filter(one => one.type === 'audit.checkpoint')
  expect(told.length).toBeGreaterThan(1)
})

test('a stream that begins by closing calls of an earlier one is read from its first record', async () => {
  const dir = tempDir()
  const first = await startGateway({ dir })
  for (let i = 0; i < 3; i++) await first.hooks.onSealed!(createExchange())
  kill(dir)
  const second = await startGateway({ dir })
  await second.stop()
  const [, stream] = new Set((await readLog(dir)).records.map(one => one.stream))
  const proof = await runCommand(dir, 'audit prove', {}, { args: [`${stream}:1`] })
  expect(proof).toMatchObject({ code: 0, err: '' })
  const reader = await sqliteStore(createStores({ dataDir: dir }), 'audit.db', 'os').reader()
  const seqs: number[] = []
  for await (const page of reader.stream(stream!, 1, new AbortController().signal)) seqs.push(...page.map(one => one.seq))
  await reader.close()
  expect(seqs.slice(0, 4)).toEqual([1, 2, 3, 4])
})

describe('several gateways', () => {
  test('a checkpoint lists what the others signed last', async () => {
    const dir = tempDir()
    const first = await startGateway({ dir })
    const second = await startGateway({ dir })
    await call(first, createExchange())
    await second.stop()
    await first.stop()
    const read = await readLog(dir)
    const streams = [...new Set(read.records.map(one => one.stream))]
    const last = openCheckpoint(read.rows.at(-1)!.note, readVerifiers(join(dir, 'audit.db.verifier')) as never)!
    expect(last.streams.map(({ stream, size }) => [stream, size])).toEqual(
      streams.sort().map(stream => [stream, streamOf(read, stream).length]),
    )
    expectTrue(dir, read)
  })

  test('what one that was killed left is covered to its end by those that still run', async () => {
    const dir = tempDir()
    const first = await startGateway({ dir, config: { checkpoints: { records: 1_000_000 } } })
    const { clock, pass } = createTime()
    const second = await startGateway({ dir, clock })
    for (let i = 0; i < 3; i++) await call(first, createExchange())
    kill(dir)
    await pass(60_000)
    const read = await readLog(dir)
    const [killed] = read.records
    expect(
      read.rows
        .filter(row => row.stream === killed!.stream)
        .map(row => row.size)
        .sort((a, b) => a - b),
    ).toEqual([2, streamOf(read, killed!.stream).length])
    expectTrue(dir, read)
    await second.stop()
  })

  test('what another one left while nothing was recorded here is signed, and the log verifies', async () => {
    const { clock, pass } = createTime()
    const dir = tempDir()
    const first = await startGateway({ dir, clock })
    await pass(60_000)
    // As a command that puts a read on record.
    await (await startGateway({ dir, starts: false })).stop()
    await pass(60_000)
    await first.stop()
    const read = await readLog(dir)
    expectTrue(dir, read)
    const sizes = (stream: string): number[] => read.rows.filter(row => row.stream === stream).map(row => row.size)
    const [own, other] = [...new Set(read.records.map(one => one.stream))].map(sizes)
    expect(own).toEqual([2, 3, streamOf(read, read.records[0]!.stream).length])
    expect(other).toEqual([2])
    expect((await runCommand(dir, 'audit verify')).out).toContain('CONSISTENT')
  })

  test('where two sign the same size of a stream, for one of them took the other for ended, the log verifies', async () => {
    const dir = tempDir()
    const [own, other] = [createTime(), createTime()]
    const first = await startGateway({ dir, clock: own.clock })
    const second = await startGateway({ dir, clock: other.clock })
    kill(dir)
    await other.pass(61_000)
    await own.pass(62_000)
    await first.stop()
    await second.stop()
    const read = await readLog(dir)
    expectTrue(dir, read)
    const { stream } = read.records[0]!
    const told = streamOf(read, stream).flatMap(one =>
      one.type === 'audit.checkpoint' ? [JSON.parse(Buffer.from(one.body).toString()).detail] : [],
    )
    const stored = new Map(read.rows.flatMap(row => (row.stream === stream ? [[row.size, digestOf(row.note)]] : [])))
    expect(told.map(({ size, note }) => stored.get(size) === note)).toEqual([true, false])
    expect((await runCommand(dir, 'audit verify')).out).toContain('CONSISTENT')
  })

  test('what another key signed is not repeated, and health says so; with the verifiers of both the log verifies', async () => {
    const dir = tempDir()
    const first = await startGateway({ dir })
    const verifier = join(dir, 'audit.db.verifier')
    const verifiers = [readFileSync(verifier, 'utf8')]
    rmSync(verifier)
    const second = await startGateway({ dir, config: { signingKey: 'other.pem' } })
    expect(second.health?.why).toContain('gateways that share a log share its signing key')
    expect((await readLog(dir)).rows.at(-1)?.note).not.toContain(`stream ${(await readLog(dir)).records[0]!.stream} `)
    await second.stop()
    await first.stop()
    verifiers.push(readFileSync(verifier, 'utf8'))
    const both = join(dir, 'both')
    writeFileSync(both, verifiers.join(''))
    expect((await runCommand(dir, 'audit verify')).out).toContain('BROKEN')
    expect((await runCommand(dir, 'audit verify', { key: both })).out).toContain('CONSISTENT')
  })
})

/** Appends of checkpoints, or all, may fail before or after the work. */
function faulty(dir: string, next: (isCheckpoint: boolean) => 'before' | 'after' | undefined): Stores {
  const stores = createStores({ dataDir: dir })
  return {
    ...stores,
    async writer(path, options) {
      const writer = await stores.writer(path, options)
      let poison: Error | undefined
      const wrapped: GroupWriter = {
        async append(rows) {
          if (poison !== undefined) throw poison
          const fault = next(rows.some(row => row.sql === 5))
          if (fault === 'before') poison = new Error('no space left')
          else await writer.append(rows)
          if (fault === 'after') poison = new Error('fate unknown')
          if (poison !== undefined) throw poison
        },
        async recover() {
          await writer.recover()
          poison = undefined
        },
        close: () => writer.close(),
      }
      return wrapped
    },
  }
}

describe('faults', () => {
  test('a checkpoint that cannot be read for degrades health, stops no call and is made again', async () => {
    const dir = tempDir()
    const stores = createStores({ dataDir: dir })
    // The first reading is that of the boot.
    let opened = 0
    let broken = true
    const open: Stores['open'] = (path, options) => {
      if (options?.readOnly === true && ++opened > 1 && broken) throw new Error('cannot be read')
      return stores.open(path, options)
    }
    const gateway = await startGateway({ dir, stores: { ...stores, open }, config: { durability: 'full' } })
    expect(gateway.health).toEqual({ status: 'degraded', why: 'no checkpoint could be made: cannot be read' })
    expect(await call(gateway, createExchange())).toBe('ok')
    broken = false
    await gateway.healthIs(undefined)
    await gateway.stop()
    expectTrue(dir, await readLog(dir))
  })

  test('whatever is appended, fails or is of unknown fate: each tree is that of the stored records, and the last covers them all', async () => {
    const step = fc.constantFrom('call', 'call', 'call', 'before', 'after', 'tick')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        const dir = tempDir()
        let fault: 'before' | 'after' | undefined
        const stores = faulty(dir, () => {
          const now = fault
          fault = undefined
          return now
        })
        const clock: Clock = { ...realClock, after: (ms, run) => realClock.after(ms >= 2000 ? ms : 1, run) }
        const gateway = await startGateway({ dir, stores, clock, config: { checkpoints: { records: 3 } } })
        for (const one of steps) {
          if (one === 'call') await call(gateway, createExchange())
          else if (one === 'tick') await new Promise(resolve => setImmediate(resolve))
          else fault = one
        }
        fault = undefined
        if (gateway.health?.status === 'failing') await gateway.healthIs('degraded')
        await gateway.stop()
        const read = await readLog(dir)
        expectTrue(dir, read)
        expect(Math.max(...read.rows.map(row => row.size))).toBe(read.records.length)
      }),
      { numRuns: 25, examples: [[['call', 'call', 'call', 'after', 'tick']]] },
    )
  }, 60_000)
})
