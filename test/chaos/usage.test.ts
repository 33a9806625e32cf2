// Usage when the gateway is killed, shares its database, or cannot write: calls go on, and each one in the log is counted once (T64).
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../core/store/index.ts'
import { createFolder, isBuilt, readHealth, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { oddServer } from '../e2e/servers.ts'
import { createDatabase, server } from '../postgres/server.ts'
import { startLoad } from './load.ts'

const MINUTES = 60_000
const plugins = [{ audit: { durability: 'os' } }, { meter: { prices: [{ tool: 'echo', units: 1.5 }] } }]

interface Usage {
  readonly rows: readonly {
    readonly tool: string
    readonly calls: number
    readonly ends: { readonly unknown: number }
    readonly units: string
  }[]
}
const usageOf = (dir: string): Usage['rows'] => {
  const { code, out, err } = runCli(['usage', '--by', 'tool', '--json'], dir)
  expect(code, err).toBe(0)
  return (JSON.parse(out) as Usage).rows
}
const reconcile = (dir: string): string => {
  const { code, out, err } = runCli(['usage', '--reconcile'], dir)
  expect(code, out + err).toBe(0)
  return out
}

describe.skipIf(!isBuilt)('usage', () => {
  test(
    'has each call of the log once after kill -9 at any time',
    async () => {
      const dir = createFolder()
      const config = { servers: [{ id: 'odd', ...oddServer() }], plugins }
      for (let round = 1; round <= 6; round++) {
        const product = await startProduct({ dir, config })
        const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: `round${round}`, perSecond: 200, atOnce: 50 })
        await load.answers(30)
        // Around the moment at which what was gathered is written.
        await sleep(Math.random() * 1500)
        product.signal('SIGKILL')
        await load.end()
        await product.exited
      }
      const last = await startProduct({ dir, config })
      await last.stop()
      const ends = readRecords(dir).filter(({ type }) => type === 'outcome')
      const known = ends.filter(({ outcome }) => outcome !== 'unknown').length
      expect(usageOf(dir)).toMatchObject([
        { tool: 'echo', calls: known, ends: { unknown: ends.length - known }, units: String(known * 1.5) },
      ])
      expect(reconcile(dir)).toBe('EQUAL: usage has what the audit log has\n')
    },
    5 * MINUTES,
  )

  test(
    'that cannot be written is a condition of health and nothing to a call, and is made up for',
    async () => {
      const dir = createFolder()
      const product = await startProduct({ dir, config: { servers: [{ id: 'odd', ...oddServer() }], plugins } })
      const holder = createStores({ dataDir: `${dir}/.mcpgw` }).open('usage.db')
      const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: 'call', perSecond: 20 })
      holder.exec('BEGIN IMMEDIATE')
      const health = await untilHealth(product.origin, ({ components }) =>
        components.some(({ name, status }) => name === 'meter' && status !== 'ok'),
      )
      expect(health.components.find(({ name }) => name === 'meter')).toMatchObject({
        status: 'degraded',
        why: expect.stringContaining('usage is not counted now, and will be from the audit log') as string,
      })
      await load.answers(10)
      holder.exec('ROLLBACK')
      holder.close()
      await untilHealth(product.origin, ({ components }) => components.every(({ name, status }) => name !== 'meter' || status === 'ok'))
      await load.end()
      expect(load.failed.size).toBe(0)
      expect((await readHealth(product.origin)).components.some(({ name }) => name === 'meter')).toBe(true)
      await product.stop()
      expect(usageOf(dir)).toMatchObject([{ tool: 'echo', calls: load.answered.size }])
      expect(reconcile(dir)).toBe('EQUAL: usage has what the audit log has\n')
    },
    2 * MINUTES,
  )

  test.skipIf(server === undefined)(
    'of two gateways on one database has the calls of both once, also of the one that was killed',
    async () => {
      const url = await createDatabase()
      const [dir, other] = [createFolder(), createFolder()]
      const config = { store: { url }, servers: [{ id: 'odd', ...oddServer() }], plugins }
      const [a, b] = [await startProduct({ dir, config }), await startProduct({ dir: other, config })]
      const loads = await Promise.all(
        [a, b].map((one, i) => startLoad(one.origin, { tool: 'odd__echo', prefix: `gateway${i}`, perSecond: 100, atOnce: 50 })),
      )
      await Promise.all(loads.map(load => load.answers(150)))
      b.signal('SIGKILL')
      await Promise.all(loads.map(load => load.end()))
      await b.exited
      // Both find at once what it left.
      const again = await startProduct({ dir: other, config })
      await Promise.all([a.stop(), again.stop()])
      const late = await startProduct({ dir, config })
      await late.stop()
      const answered = loads.reduce((sum, load) => sum + load.answered.size, 0)
      const [row] = usageOf(dir)
      expect(row!.calls).toBeGreaterThanOrEqual(answered)
      expect(reconcile(dir)).toBe('EQUAL: usage has what the audit log has\n')
    },
    3 * MINUTES,
  )
})
