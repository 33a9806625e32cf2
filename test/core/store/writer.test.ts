// Group commit, inline and in the thread: order, durability, and that a failed append poisons everything after it until recovery.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { GroupWriter, Stores } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pragmas } from '../../../core/store/database.ts'
import { loadDriver } from '../../../core/store/driver.ts'
import { createStores } from '../../../core/store/index.ts'
import { createWriter } from '../../../core/store/writer.ts'
import { serveCommits, type ThreadReport } from '../../../core/store/writer-thread.ts'

let dir: string
let stores: Stores
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mcpgw-writer-'))
  stores = createStores({ dataDir: dir })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const setup = 'CREATE TABLE IF NOT EXISTS t (x INTEGER PRIMARY KEY)'
const statements = ['INSERT INTO t VALUES (?)']
const row = (x: number) => [{ sql: 0, params: [x] }]
const stored = (): unknown[] => {
  const db = stores.open('w.db', { readOnly: true })
  const rows = db.prepare('SELECT x FROM t ORDER BY x').all()
  db.close()
  return rows.map(r => r.x)
}

describe.each(['os', 'full'] as const)('a writer in mode %s', durability => {
  const open = (): Promise<GroupWriter> => stores.writer('w.db', { durability, setup, statements })

  test('what was appended is stored when append resolves, whoever reads', async () => {
    const writer = await open()
    await Promise.all([writer.append(row(1)), writer.append(row(2)), writer.append([...row(3), ...row(4)])])
    expect(stored()).toEqual([1, 2, 3, 4])
    await writer.close()
  })

  test('a failure rejects the whole group and everything after it, until recover', async () => {
    const writer = await open()
    await writer.append(row(1))
    const group = await Promise.allSettled([writer.append(row(2)), writer.append(row(1)), writer.append(row(3))])
    expect(group.map(one => one.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(writer.append(row(4))).rejects.toThrow(/UNIQUE/)
    expect(stored()).toEqual([1])
    await writer.recover()
    await writer.append(row(5))
    expect(stored()).toEqual([1, 5])
    await writer.close()
  })

  test('close waits for what was appended and refuses what comes later', async () => {
    const writer = await open()
    const appended = Promise.all(Array.from({ length: 100 }, (_, x) => writer.append(row(x))))
    await writer.close()
    await appended
    expect(stored()).toHaveLength(100)
    await expect(writer.append(row(1000))).rejects.toThrow(/closed/)
  })

  test('recover in the middle of appends leaves none of them hanging', async () => {
    const writer = await open()
    const appends = Array.from({ length: 10 }, (_, x) => writer.append(row(x)))
    const settled = Promise.allSettled(appends)
    await writer.recover()
    for (const one of await settled) expect(one.status).toBe('rejected')
    await writer.append(row(50))
    expect(stored()).toContain(50)
    await writer.close()
  })
})

test('in mode os the WAL is copied by a thread, stays bounded, and is gone after the close', async () => {
  const writer = await stores.writer('w.db', {
    durability: 'os',
    setup: 'CREATE TABLE IF NOT EXISTS big (x TEXT)',
    statements: ['INSERT INTO big VALUES (?)'],
  })
  const value = 'x'.repeat(100_000)
  const size = (name: string): number => statSync(join(dir, name)).size
  const before = size('w.db')
  for (let i = 0; i < 60; i++) await writer.append([{ sql: 0, params: [value] }])
  // The writer's own checkpoint would come at 32 MB; how far it is overshot depends on the load, 200 MB are written.
  await expect.poll(() => size('w.db')).toBeGreaterThan(before + 3_000_000)
  for (let i = 0; i < 2000; i++) await writer.append([{ sql: 0, params: [value] }])
  expect(size('w.db-wal')).toBeLessThan(100_000_000)
  await writer.close()
  expect(readdirSync(dir)).toEqual(['w.db'])
})

test('one turn of the event loop is one transaction', async () => {
  const batches: number[] = []
  const writer = await createWriter(async () => ({
    commit(rows) {
      batches.push(rows.length)
      return undefined
    },
    close: () => Promise.resolve(),
  }))
  await Promise.all([writer.append(row(1)), writer.append(row(2)), writer.append(row(3))])
  await writer.append(row(4))
  expect(batches).toEqual([3, 1])
})

describe('the thread', () => {
  const driver = loadDriver()

  test('fsyncs: synchronous is FULL in its own connection after a reopen, and what gathered is one transaction', async () => {
    const first = await stores.writer('w.db', { durability: 'full', setup, statements })
    await first.append(row(1))
    await first.close()

    const { port1, port2 } = new MessageChannel()
    const reports: ThreadReport[] = []
    for (const batch of [1, 2, 3]) port1.postMessage({ kind: 'commit', batch, rows: row(batch + 10) })
    const closed = new Promise<void>(resolve => {
      port1.on('message', (report: ThreadReport) => {
        reports.push(report)
        if (report.kind === 'done') port1.postMessage({ kind: 'close' })
      })
      port1.on('close', () => resolve())
    })
    const work = { driver: driver.name, module: driver.module, path: join(dir, 'w.db'), pragmas: pragmas('full'), statements }
    const load = (module: string): unknown =>
      module === 'node:sqlite' ? process.getBuiltinModule(module) : createRequire(import.meta.url)(module)
    serveCommits(port2, receiveMessageOnPort as never, load, work)
    await closed
    expect(reports).toEqual([
      { kind: 'ready', synchronous: 2 },
      { kind: 'done', batch: 3 },
    ])
    expect(stored()).toEqual([1, 11, 12, 13])
  })
})

/** Appends rows one group after the other and says on stdout, after each, how far it is. */
const appender = `
import { createStores } from '${join(process.cwd(), 'dist/core/store/index.js')}'
const writer = await createStores({ dataDir: process.argv[1] }).writer('w.db', {
  durability: process.argv[2], setup: ${JSON.stringify(setup)}, statements: ${JSON.stringify(statements)}
})
let x = Number(process.argv[3])
for (;;) {
  x += 3
  await Promise.all([2, 1, 0].map(back => writer.append([{ sql: 0, params: [x - back] }])))
  process.stdout.write(x + '\\n')
}`

describe.skipIf(!existsSync('dist/core/store/index.js'))('kill -9', () => {
  const until = (child: ChildProcess, wanted: (acked: number) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      child.stdout?.on('data', (text: Buffer) => {
        for (const line of String(text).trim().split('\n')) if (wanted(Number(line))) resolve()
      })
      child.once('exit', () => reject(new Error('the appender ended by itself')))
    })

  test.each(['os', 'full'] as const)('mode %s: 20 kills lose no acknowledged row', async durability => {
    let from = 0
    for (let round = 0; round < 20; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', appender, dir, durability, String(from)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let acked = from
      await until(child, line => {
        acked = Math.max(acked, line)
        return acked >= from + 30 + round * 3
      })
      const gone = new Promise(resolve => child.removeAllListeners('exit').once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      const rows = stored() as number[]
      expect(rows.length).toBeGreaterThanOrEqual(acked)
      // Whole groups and no holes.
      expect(rows).toEqual(Array.from({ length: rows.length }, (_, i) => i + 1))
      expect(rows.length % 3).toBe(0)
      from = rows.length
    }
  })
})
