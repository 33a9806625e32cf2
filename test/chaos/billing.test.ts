// Calls over gateways that are killed again and again, and billed over an outage of Stripe: the record, usage and what Stripe has agree to the call.
// MCPGW_CHAOS=full makes 10,000 calls and kills 20 times.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from 'mcpgw/testing'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../core/store/index.ts'
import { completed } from '../../plugins/meter/outcome-kinds.ts'
import { openUsage } from '../../plugins/meter/store/open.ts'
import stripe from '../../plugins/stripe/index.ts'
import type { Worker } from '../../plugins/stripe/worker.ts'
import { createFolder, isBuilt, runCli, startProduct } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { oddServer } from '../e2e/servers.ts'
import { createWorld, HOUR, type World } from '../plugins/stripe/billing-world.ts'
import type { Fault } from '../plugins/stripe/fake-stripe.ts'
import { startLoad } from './load.ts'

const IS_LONG = process.env.MCPGW_CHAOS === 'full'
const [CALLS, ROUNDS] = IS_LONG ? [10_000, 20] : [1000, 5]
const PER_SECOND = 250
const MINUTES = 60_000

const TENANTS = { acme: 'key-of-acme-0123456789', globex: 'key-of-globex-0123456789' }
const CUSTOMERS = { acme: 'cus_acme', globex: 'cus_globex' }

const configOf = (dir: string, port: number) => ({
  servers: [{ id: 'odd', ...oddServer() }],
  plugins: [
    { audit: { durability: 'os' } },
    {
      auth: {
        apiKeys: Object.entries(TENANTS).map(([tenant, key]) => ({ id: `k-${tenant}`, key, consumerId: `agent-${tenant}`, tenant })),
      },
    },
    'meter',
    { stripe: { ...billing(port), apiKey: 'rk_test_of_the_fake' } },
  ],
  store: { dir: join(dir, '.mcpgw') },
})
const billing = (port: number) => ({
  host: '127.0.0.1',
  port,
  protocol: 'http',
  since: '2026-01-01',
  meters: [{ event: 'tool_calls', tool: 'echo' }],
  customers: CUSTOMERS,
})

/** Gateways that are killed under load, and one that comes after them and ends in order. */
async function makeCalls(dir: string, w: World): Promise<void> {
  const config = configOf(dir, w.stripe.port)
  for (let round = 1; round <= ROUNDS; round++) {
    const product = await startProduct({ dir, config })
    const loads = await Promise.all(
      Object.entries(TENANTS).map(([tenant, key]) =>
        startLoad(product.origin, {
          tool: 'odd__echo',
          prefix: `${tenant}-${round}`,
          perSecond: PER_SECOND,
          headers: ['authorization', `Bearer ${key}`],
          atOnce: 50,
        }),
      ),
    )
    await Promise.all(loads.map(load => load.answers(CALLS / ROUNDS / loads.length)))
    product.signal('SIGKILL')
    await Promise.all(loads.map(load => load.end()))
    await product.exited
  }
  const last = await startProduct({ dir, config })
  await last.stop()
}

const faults: readonly Fault[] = ['500', '500-after', '429', 'reset', 'reset-after', 'nonsense-after', 'html-502']

/** For 26 hours nothing but faults, and a kill every few writes; then all is well. */
async function bill(w: World): Promise<void> {
  let isDown = true
  let requests = 0
  w.stripe.fault = () => (isDown ? faults[requests++ % faults.length] : undefined)
  let writes = 0
  const start = (): Worker => w.start((_, when) => isDown && ++writes % 7 === 0 && when === (writes % 2 === 0 ? 'before' : 'after'))
  let worker = start()
  const pass = async (ms: number): Promise<void> => {
    for (const until = w.clock.mono() + ms; w.clock.mono() < until; ) {
      w.clock.pass(Math.max(await worker.pass(), 10 * MINUTES))
      if (w.health()?.includes('killed')) worker = start()
    }
  }
  await pass(26 * HOUR)
  isDown = false
  await worker.stop()
  worker = start()
  await pass(4 * HOUR)
  await worker.stop()
}

/** Calls of the tool by tenant that came to an end, as the record has them. */
function countRecord(dir: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type, action, tool, tenant = '', outcome } of readRecords(dir)) {
    if (type !== 'outcome' || action !== 'tools/call' || tool !== 'echo' || !completed.some(kind => kind === outcome)) continue
    counts[tenant] = (counts[tenant] ?? 0) + 1
  }
  return counts
}

describe.skipIf(!isBuilt)('billing from the call to Stripe', () => {
  test(
    `over ${CALLS} calls with kills and outages the record, usage, the own ledger and Stripe agree to the call`,
    async () => {
      const dir = createFolder()
      const stores = createStores({ dataDir: join(dir, '.mcpgw') })
      const usage = await openUsage(stores, { path: 'usage.db' }, 'write')
      const w = await createWorld({
        stores,
        at: Date.now(),
        counted: { changes: (cursor, endedBy, signal) => usage.changes(cursor, endedBy, signal), hold: () => () => {} },
        config: { meters: [{ event: 'tool_calls', tool: 'echo' }] },
      })
      await makeCalls(dir, w)
      await bill(w)
      const recorded = countRecord(dir)
      expect(Object.keys(recorded).toSorted()).toEqual(Object.keys(TENANTS))
      expect(Object.values(recorded).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(CALLS)
      for (const [tenant, customer] of Object.entries(CUSTOMERS)) {
        expect(w.stripe.total(customer, 'tool_calls')).toBe(recorded[tenant])
        const lines = (await w.all()).filter(line => line.tenant === tenant)
        expect(lines.reduce((sum, { used }) => sum + used, 0)).toBe(recorded[tenant])
        expect(lines.filter(({ wanted, sent }) => wanted !== sent)).toEqual([])
      }
      await usage.close()
      const period = new Date(w.clock.now() - 30 * HOUR).toISOString().slice(0, 7)
      const agreed = await runCommand(stripe, ['stripe', 'reconcile'], {
        config: { ...billing(w.stripe.port), apiKey: 'rk_test_of_the_fake' },
        stores,
        clock: w.clock,
        options: { period },
      })
      expect(agreed).toMatchObject({ code: 0, out: expect.stringContaining('usage, ledger and Stripe agree') })
      writeFileSync(join(dir, 'plain.yaml'), JSON.stringify({ ...configOf(dir, w.stripe.port) }))
      const counted = runCli(['usage', '--reconcile', '--period', period, '--config', 'plain.yaml'], dir)
      expect(counted.code, counted.out + counted.err).toBe(0)
    },
    10 * MINUTES,
  )
})
