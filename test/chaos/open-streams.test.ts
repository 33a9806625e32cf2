// Case 36: thousands of clients that only listen, in processes of their own, beside one who calls: all are told of a change, he is served as before, and all that they held is given back.
// MCPGW_CHAOS=full opens 10,000 streams and holds memory and times against the case; without it some hundreds show the rest.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { createFolder, isBuilt, startProduct } from '../e2e/product.ts'
import { ask as askOne, type Calls, descriptorsOf, rssOf, startCompanion } from './companions.ts'

const isFull = process.env.MCPGW_CHAOS === 'full'
// A principal has no more than fifty stateless clients at once, and these are nobody.
const CROWDS = isFull ? { legacy: 8000, modern: 2000 } : { legacy: 400, modern: 100 }
const STREAMS = CROWDS.legacy + CROWDS.modern
const OPENED_PER_SECOND = 500
const CALLS_PER_SECOND = isFull ? 100 : 20
const QUIET_MS = isFull ? 20_000 : 2000
const HOLD_MS = isFull ? 60_000 : 2000
const MOST_RSS_MB = 700
const MOST_P99_MS = 250

interface Crowd {
  readonly begun: number
  readonly open: number
  /** So many were told of a change, once or more. */
  readonly heard: number
  /** Of those that were open. */
  readonly ended: number
  /** What was answered where no stream was opened. */
  readonly refused: string
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe.skipIf(!isBuilt || process.platform !== 'linux')('clients that only listen', () => {
  test(
    `${STREAMS} streams are open, told of a change, and given back, and who calls beside them is served as before`,
    async () => {
      const capabilities = '{"tools":{"listChanged":true}}'
      const upstream = await startHttpUpstream({
        capabilities,
        on: { 'tools/call': ({ result }) => result('{"content":[{"type":"text","text":"small"}]}') },
      })
      onTestFinished(() => upstream.close())
      const config = {
        // By itself one address may open a thousand.
        listen: { connections: { total: 16_000, perAddress: 16_000 } },
        servers: [{ id: 'up', url: upstream.url }],
        // What is looked for is no matter of the disk.
        plugins: [{ audit: { durability: 'os' } }],
      }
      const dir = createFolder()
      const product = await startProduct({ dir, config })
      const { port } = new URL(product.origin)
      const good = startCompanion('steady-client.mjs', port, CALLS_PER_SECOND)
      const ask = async (): Promise<Calls> => {
        return (await askOne(good)) as Calls
      }
      await pause(1000)
      await ask()
      await pause(QUIET_MS)
      const before = await ask()
      const [quietRss, quietFds] = [rssOf(product.pid), descriptorsOf(product.pid)]

      const crowds = Object.entries(CROWDS).map(([era, count]) =>
        startCompanion('stream-crowd.mjs', era, port, count, (OPENED_PER_SECOND * count) / STREAMS),
      )
      /** Of all crowds together, once it is as many: the time limit of the test ends what never comes to be. */
      async function until(what: 'open' | 'heard', count: number): Promise<void> {
        for (;;) {
          const now = crowds.map(crowd => (crowd.last() ?? {}) as Partial<Crowd>)
          expect(now.map(({ refused = '', ended = 0 }) => [refused, ended])).toEqual(now.map(() => ['', 0]))
          if (now.reduce((sum, one) => sum + (one[what] ?? 0), 0) >= count) return
          await pause(100)
        }
      }
      await until('open', STREAMS)
      const opening = await ask()
      let mostRss = 0
      for (const ends = performance.now() + HOLD_MS; performance.now() < ends; await pause(500))
        mostRss = Math.max(mostRss, rssOf(product.pid))
      const during = await ask()
      expect(descriptorsOf(product.pid)).toBeGreaterThanOrEqual(STREAMS)

      // Another server: each is told that there are other tools now.
      writeFileSync(
        join(dir, 'mcpgw.yaml'),
        JSON.stringify({ ...config, servers: [...config.servers, { id: 'other', url: upstream.url }] }),
      )
      await until('heard', STREAMS)
      const told = await ask()
      mostRss = Math.max(mostRss, rssOf(product.pid))
      expect(crowds.map(crowd => (crowd.last() as Crowd).heard)).toEqual(Object.values(CROWDS))

      for (const { child } of crowds) child.kill('SIGKILL')
      while (descriptorsOf(product.pid) > quietFds + 10) await pause(100)
      const closing = await ask()
      console.info(
        JSON.stringify({
          before,
          opening,
          during,
          told,
          closing,
          rss: { quiet: quietRss, most: mostRss },
          crowds: crowds.map(crowd => crowd.last()),
        }),
      )

      expect([before, opening, during, told, closing].map(({ failures }) => failures)).toEqual([0, 0, 0, 0, 0])
      expect(during.calls).toBeGreaterThan(0)
      expect(mostRss).toBeLessThanOrEqual(MOST_RSS_MB)
      if (isFull) expect(during.p99).toBeLessThanOrEqual(MOST_P99_MS)
      good.child.kill('SIGKILL')
      expect(await product.stop()).toEqual({ code: 0, signal: null })
    },
    isFull ? 600_000 : 90_000,
  )
})
