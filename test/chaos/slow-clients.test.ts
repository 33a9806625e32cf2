// Case 31: thousands who send slowly or do not read, in processes of their own, beside one who calls: he is served as before, they are cut.
// MCPGW_CHAOS=full holds 5,000 senders and 2,000 readers for 60 s and holds the times against the case; without it a crowd shows the rest.
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { echoTool } from '../core/data-plane/script.ts'
import { createFolder, isBuilt, startProduct } from '../e2e/product.ts'
import { ask, type Calls, descriptorsOf, rssOf, startCompanion } from './companions.ts'

const isFull = process.env.MCPGW_CHAOS === 'full'
const SENDERS = isFull ? 5000 : 150
const READERS = isFull ? 2000 : 60
const HOLD_MS = isFull ? 60_000 : 12_000
const CALLS_PER_SECOND = 50
// Of a crowd each gets more than the systems of both ends take for him; of thousands that would be a flood of its own.
const LARGE = JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(isFull ? 150_000 : 7_000_000) }] })
/** How long a sender may last: half of a minute for a whole request, and as long again for a busy machine. */
const LONGEST_MS = 60_000

interface Crowd {
  readonly open: number
  readonly opened: number
  readonly cut: number
  readonly failed: number
  readonly longestMs: number
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe.skipIf(!isBuilt || process.platform !== 'linux')('clients that are slow', () => {
  test(
    `${SENDERS} that send slowly and ${READERS} that do not read are cut, and who calls beside them is served as before`,
    async () => {
      const upstream = await startHttpUpstream({
        tools: [echoTool, echoTool.replace('echo', 'large')],
        on: {
          'tools/call': received =>
            received.result(received.text.includes('"name":"large"') ? LARGE : '{"content":[{"type":"text","text":"small"}]}'),
        },
      })
      onTestFinished(() => upstream.close())
      const config = {
        // By itself one address may open a thousand.
        listen: { connections: { total: 16_000, perAddress: 16_000 } },
        limits: { messageBytes: 8_000_000 },
        servers: [{ id: 'up', url: upstream.url }],
        plugins: ['audit'],
      }
      const product = await startProduct({ dir: createFolder(), config })
      const { port } = new URL(product.origin)
      const good = startCompanion('steady-client.mjs', port, CALLS_PER_SECOND)
      await pause(3000)
      await ask(good)
      await pause(isFull ? 20_000 : 3000)
      const before = (await ask(good)) as Calls
      const [quietRss, quietFds] = [rssOf(product.pid), descriptorsOf(product.pid)]

      const senders = startCompanion('slow-crowd.mjs', 'senders', port, SENDERS, SENDERS / 5)
      const readers = startCompanion('slow-crowd.mjs', 'readers', port, READERS, READERS / (isFull ? 40 : 5))
      const seen = (crowd: typeof senders): Partial<Crowd> => (crowd.last() as Crowd | undefined) ?? {}
      while ((seen(senders).opened ?? 0) < SENDERS || (seen(readers).opened ?? 0) < READERS) await pause(100)
      await ask(good)
      let mostRss = 0
      let mostFds = 0
      const ends = performance.now() + HOLD_MS
      while (performance.now() < ends) {
        await pause(500)
        mostRss = Math.max(mostRss, rssOf(product.pid))
        mostFds = Math.max(mostFds, descriptorsOf(product.pid))
      }
      const during = (await ask(good)) as Calls
      const sending = senders.last() as Crowd
      senders.child.kill('SIGKILL')
      const held = descriptorsOf(product.pid)
      // Whoever takes nothing is cut: at once where it is too much for all, else after a minute, as is whoever asks for nothing more.
      while (isFull && descriptorsOf(product.pid) > quietFds + 10) await pause(100)
      const cutAfter = Math.round(performance.now() - ends)
      // They read at last, and so learn what became of them.
      readers.child.stdin?.write('\n')
      await pause(4000)
      const reading = readers.last() as Crowd
      const figures = { before, during, sending, reading, rss: { quiet: quietRss, most: mostRss }, fds: { most: mostFds, held }, cutAfter }
      console.info(JSON.stringify(figures))

      expect([before.failures, during.failures]).toEqual([0, 0])
      expect(during.calls).toBeGreaterThan(0)
      // Of the senders those without a header are cut after ten seconds, those without a body after thirty; each is followed by another.
      expect(sending.cut).toBeGreaterThan(isFull ? SENDERS : SENDERS / 3)
      expect(sending.longestMs).toBeLessThan(LONGEST_MS)
      expect(reading.cut).toBeGreaterThanOrEqual(isFull ? READERS : READERS / 3)
      expect([sending.failed, reading.failed]).toEqual([0, 0])
      expect(mostRss - quietRss).toBeLessThan(500)
      if (isFull) expect(during.p99).toBeLessThanOrEqual(2 * before.p99)

      readers.child.kill('SIGKILL')
      while (descriptorsOf(product.pid) > quietFds + 10) await pause(100)
      await ask(good)
      await pause(1000)
      expect(((await ask(good)) as Calls).failures).toBe(0)
      good.child.kill('SIGKILL')
      expect(await product.stop()).toEqual({ code: 0, signal: null })
    },
    isFull ? 300_000 : 240_000,
  )
})
