// Retention works in a process of its own: calls go on while a large log is exported and pruned, and whatever ends that process leaves a log that verifies.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { call, createExchange, type Gateway, type Ran, realClock, runCommand, startGateway, tempDir } from './gateway.ts'

const DAY_MS = 86_400_000
const MINUTES = 60_000
const config = {
  anchors: [{ file: 'anchor.txt' }],
  retention: { keep: '400d', export: 'archive' },
}

interface Kept {
  readonly gateway: Gateway
  /** Lets what is due begin; the promise resolves when it is due again, to the ms until then. */
  daily(): Promise<number>
}

/** `ahead`: of the clock, ms. */
async function startKept(dir: string, ahead: number, more: object = {}): Promise<Kept> {
  let due: { ms: number; run: () => void }[] = []
  const clock: Clock = {
    ...realClock,
    now: () => Date.now() + ahead,
    after(ms, run) {
      if (ms <= 60_000) return realClock.after(ms, run)
      const one = { ms, run }
      due.push(one)
      return () => {
        due = due.filter(other => other !== one)
      }
    },
  }
  const gateway = await startGateway({ dir, clock, config: { ...config, ...more } })
  return {
    gateway,
    async daily() {
      const [next] = due.splice(0)
      next!.run()
      await expect.poll(() => due.length, { timeout: 5 * MINUTES, interval: 20 }).toBe(1)
      return due[0]!.ms
    },
  }
}

const places = (dir: string): string[] => {
  const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
  try {
    return db
      .prepare('SELECT stream, seq FROM record')
      .all()
      .map(({ stream, seq }) => `${String(stream)}:${String(seq)}`)
  } finally {
    db.close()
  }
}
const verified = (dir: string, args: string[] = []): Promise<Ran> => runCommand(dir, 'audit verify', { checkpoint: 'anchor.txt' }, { args })

test.each(['os', 'full'])(
  'of a log of 200,000 records, kept with durability "%s", what is old goes while calls go on, and none is refused',
  { timeout: 10 * MINUTES },
  async durability => {
    const dir = tempDir()
    const before = await startGateway({ dir, config: { ...config, retention: undefined } })
    const calls = 100_000
    for (let done = 0; done < calls; done += 500) await Promise.all(Array.from({ length: 500 }, () => call(before, createExchange())))
    await before.stop()
    const size = places(dir).length
    expect(size).toBeGreaterThanOrEqual(200_000)

    const { gateway, daily } = await startKept(dir, 401 * DAY_MS, { durability })
    const lag = monitorEventLoopDelay({ resolution: 1 })
    let isDone = false
    const done = daily().finally(() => {
      isDone = true
    })
    lag.enable()
    const results = new Set<string>()
    let [made, slowest] = [0, 0]
    while (!isDone) {
      const began = performance.now()
      results.add(await call(gateway, createExchange()))
      slowest = Math.max(slowest, performance.now() - began)
      made += 1
      await new Promise(next => setTimeout(next, 5))
    }
    lag.disable()
    expect(await done).toBeGreaterThanOrEqual(DAY_MS)
    if (process.env.MCPGW_FIGURES !== undefined)
      console.info({ durability, made, slowest, p99: lag.percentile(99) / 1e6, p999: lag.percentile(99.9) / 1e6, max: lag.max / 1e6 })
    expect(gateway.health?.why ?? '').not.toContain('retention')
    expect([...results]).toEqual(['ok'])
    expect(made).toBeGreaterThan(100)
    await gateway.stop()
    expect(places(dir).length).toBeLessThan(size / 2)
    expect(await verified(dir)).toMatchObject({ code: 0 })
    expect(await runCommand(dir, 'audit verify', {}, { args: ['archive'] })).toMatchObject({ code: 4 })
    expect(readdirSync(join(dir, 'archive'))).toHaveLength(2)
  },
)
