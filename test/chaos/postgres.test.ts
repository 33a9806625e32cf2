// The record in PostgreSQL: the server is killed under load and comes back, and several gateways write to one database at once.
// MCPGW_CHAOS=full leaves the server away for 10 s, and lets the gateways write for 60 s.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../core/store/index.ts'
import { readCheckpoint } from '../../plugins/audit/checkpoint.ts'
import { createFolder, isBuilt, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { verify } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { type Cluster, startCluster } from '../postgres/cluster.ts'
import { endsOf, readRecords } from '../postgres/records.ts'
import { createDatabase, server } from '../postgres/server.ts'
import { startLoad } from './load.ts'

const IS_LONG = process.env.MCPGW_CHAOS === 'full'
const AWAY_MS = IS_LONG ? 10_000 : 1500
const WRITE_MS = IS_LONG ? 60_000 : 4000
const MINUTES = 60_000
const GENEROUS_MS = 5000

const configOf = (url: string, dir: string, signingKey = 'signing-key') => ({
  servers: [{ id: 'odd', ...oddServer() }],
  plugins: [{ audit: { signingKey } }],
  store: { dir: join(dir, '.mcpgw'), url },
})

describe.skipIf(!isBuilt || server === undefined)('a PostgreSQL server that is killed under load', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.remove())

  test(
    'calls are refused at once while it is away, and go on when it is back: no gap, no fork, nothing unrecorded',
    async () => {
      const dir = createFolder()
      const product = await startProduct({ dir, config: configOf(cluster.url, dir) })
      const audit = (status: string): ReturnType<typeof untilHealth> =>
        untilHealth(product.origin, health => health.components.some(one => one.name === 'audit' && one.status === status))
      const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: 'call', perSecond: 100 })
      await load.answers(100)
      await cluster.kill()
      await audit('failing')
      const session = await openSession(product.origin)
      const until = performance.now() + AWAY_MS
      let slowest = 0
      while (performance.now() < until) {
        const began = performance.now()
        expect(codeOf(await session.call('odd__echo', { name: 'away' }))).toBe('not-recorded')
        slowest = Math.max(slowest, performance.now() - began)
      }
      expect(slowest).toBeLessThan(GENEROUS_MS)
      await cluster.start()
      const back = performance.now()
      await audit('ok')
      const recovered = performance.now() - back
      await load.answers(100)
      await load.end()
      console.info(`refused in ${slowest.toFixed(0)} ms at most; recorded again ${recovered.toFixed(0)} ms after the server was back`)

      // An answer is withheld where the call was made when its outcome could not be recorded.
      expect([...load.failed.keys()].filter(code => code !== 'not-recorded' && code !== 'withheld')).toEqual([])
      expect(await product.stop()).toEqual({ code: 0, signal: null })
      // Before the verification, which has a stream of its own.
      const records = await readRecords(dir, cluster.url)
      const { code, said } = verify(dir)
      expect(code, said).toBe(4)
      expect(new Set(records.map(record => record.stream)).size).toBe(1)
      expect(records.map(record => record.seq)).toEqual(records.map((_, i) => i + 1))
      expect(records.some(record => record.type === 'audit.recovered')).toBe(true)
      const ends = endsOf(records)
      const names = new Map(records.filter(record => record.type === 'intent').map(record => [String(record.args?.name), record.callId!]))
      expect([...load.answered].filter(name => ends.get(names.get(name) ?? '') !== 'answered')).toEqual([])
    },
    5 * MINUTES,
  )

  test(
    'a server that comes back is found also where nobody calls',
    async () => {
      const dir = createFolder()
      const product = await startProduct({ dir, config: configOf(cluster.url, dir) })
      await cluster.kill()
      await untilHealth(product.origin, health => health.components.some(one => one.name === 'audit' && one.status === 'failing'))
      await cluster.start()
      await untilHealth(product.origin, health => health.components.some(one => one.name === 'audit' && one.status === 'ok'))
      const session = await openSession(product.origin)
      expect(codeOf(await session.call('odd__echo', { name: 'first' }))).toBeUndefined()
      expect(await product.stop()).toEqual({ code: 0, signal: null })
    },
    MINUTES,
  )
})

describe.skipIf(!isBuilt || server === undefined)('four gateways on one database', () => {
  let url: string
  beforeEach(async () => {
    url = await createDatabase()
  })

  test(
    'write at once: no error reaches a client, every stream verifies, and one checkpoint covers all',
    async () => {
      const signingKey = join(createFolder(), 'signing-key')
      const dirs = Array.from({ length: 4 }, () => createFolder())
      const products = await Promise.all(dirs.map(dir => startProduct({ dir, config: configOf(url, dir, signingKey) })))
      const loads = await Promise.all(
        products.map((product, i) => startLoad(product.origin, { tool: 'odd__echo', prefix: `g${i}`, perSecond: IS_LONG ? 60 : 30 })),
      )
      await new Promise(resolve => setTimeout(resolve, WRITE_MS))
      for (const load of loads) await load.end()
      expect(loads.flatMap(load => [...load.failed])).toEqual([])
      // One after the other, so that the last one sees how the others ended.
      for (const product of products) expect(await product.stop()).toEqual({ code: 0, signal: null })

      const streams = new Set<string>()
      for (const [i, dir] of dirs.entries()) {
        const records = await readRecords(dir, url)
        for (const { stream } of records) streams.add(stream)
        const ends = endsOf(records)
        expect([...ends].filter(([, outcome]) => outcome !== 'answered')).toEqual([])
        expect(ends.size).toBe(loads.reduce((sum, load) => sum + load.answered.size, 0))
        // Each reads what itself wrote; the names of calls are sealed for the others.
        const names = new Set(records.filter(record => record.type === 'intent').map(record => record.args?.name))
        expect([...loads[i]!.answered].filter(name => !names.has(name))).toEqual([])
      }
      expect(streams.size).toBe(4)
      const database = createStores({ dataDir: dirs[0]!, url }).postgres()!
      const [last] = await database.query('SELECT note FROM mcpgw_audit.checkpoint ORDER BY at DESC LIMIT 1')
      const sizes = await database.query(
        'SELECT stream, max(seq) AS size FROM mcpgw_audit.record GROUP BY stream ORDER BY stream COLLATE "C"',
      )
      await database.close()
      const note = readCheckpoint(`${String(last!.note).split('\n\n')[0]}\n`)
      expect(note?.streams.map(({ stream, size }) => ({ stream, size }))).toEqual(sizes)
      const { code, said } = verify(dirs[0]!)
      expect(code, said).toBe(4)
      // With that one checkpoint and the key all four are proven to be complete.
      const key = runCli(['audit', 'key'], dirs[1]!).out.trim()
      writeFileSync(join(dirs[1]!, 'joint'), String(last!.note))
      const proven = runCli(['audit', 'verify', '--checkpoint', 'joint', '--key', key], dirs[1]!)
      expect(proven.code, proven.out + proven.err).toBe(0)
    },
    5 * MINUTES,
  )
})
