// kill -9 of the gateway under load, again and again: no acknowledged record is lost, nothing is left running, the next start puts it in order.
// MCPGW_CHAOS=full runs 100 rounds in each mode.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, readHealth, serverIn, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { startLoad } from './load.ts'
import { untilGone } from './processes.ts'
import { anchoredAudit, expectProven } from './whole-log.ts'

const IS_LONG = process.env.MCPGW_CHAOS === 'full'
const ROUNDS = { full: IS_LONG ? 100 : 20, os: IS_LONG ? 100 : 8 }
const PER_SECOND = 250
const MINUTES = 60_000

describe.skipIf(!isBuilt)('kill -9 of the gateway under load', () => {
  test.each(['full', 'os'] as const)(
    'loses no acknowledged record, durability %s',
    async durability => {
      const rounds = ROUNDS[durability]
      const dir = createFolder()
      const config = { servers: [{ id: 'odd', ...oddServer('wrapper') }], plugins: [anchoredAudit(dir, { durability }), 'redact'] }
      const acknowledged: string[] = []
      let cut = 0
      let left: readonly number[] = []
      for (let round = 1; round <= rounds; round++) {
        const product = await startProduct({ dir, config })
        // Of the round before: the wrapper ignores SIGTERM and the end of its input, and so does what it started.
        await untilGone(left)
        const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: `round${round}`, perSecond: PER_SECOND })
        await load.answers(20 + Math.round(Math.random() * 40))
        left = serverIn(await readHealth(product.origin), 'odd').pids
        product.signal('SIGKILL')
        await load.end()
        await product.exited
        expect([...load.failed.keys()].filter(code => code !== 'cut')).toEqual([])
        acknowledged.push(...load.answered)
        cut += load.failed.get('cut') ?? 0
        expectProven(dir, load.answered, { ended: false })
      }
      const last = await startProduct({ dir, config })
      await untilGone(left)
      await last.stop()
      expect(acknowledged.length).toBeGreaterThanOrEqual(rounds * 20)
      const records = expectProven(dir, acknowledged)
      expect(records.some(record => record.type === 'audit.checkpoint')).toBe(true)
      const unknown = records.filter(record => record.outcome === 'unknown')
      expect(new Set(unknown.map(record => record.errorCode))).toEqual(new Set(unknown.length > 0 ? ['gateway-restart'] : []))
      expect(unknown.length).toBeLessThanOrEqual(cut)
      const gateways = new Set(records.filter(record => record.type === 'gateway.start').map(record => record.stream))
      expect(records.filter(record => record.type === 'stream.stop' && gateways.has(record.stream))).toHaveLength(1)
    },
    (IS_LONG ? 40 : 10) * MINUTES,
  )
})
