// The wall clock jumps back two hours and on by a day while calls are made: the record stays in order and says so, and no call fails for it.
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, readHealth, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { startLoad } from './load.ts'
import { anchoredAudit, expectProven } from './whole-log.ts'

const MINUTES = 60_000
const HOUR_MS = 3_600_000

/** The library of Debian's package libfaketime that is made for threads. */
const library = ['/usr/lib', ...(existsSync('/usr/lib') ? readdirSync('/usr/lib').map(name => `/usr/lib/${name}`) : [])]
  .map(folder => join(folder, 'faketime/libfaketimeMT.so.1'))
  .find(existsSync)
if (library === undefined) {
  const what = 'no libfaketime: install faketime'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}

describe.skipIf(!isBuilt || library === undefined)('a wall clock that jumps under load', () => {
  test('leaves no gap, is on record by its steps, and fails no call', { timeout: 2 * MINUTES }, async () => {
    const dir = createFolder()
    const clock = join(dir, 'clock')
    const turn = (offset: string): void => {
      writeFileSync(`${clock}.next`, offset)
      renameSync(`${clock}.next`, clock)
    }
    turn('+0')
    const product = await startProduct({
      dir,
      config: {
        servers: [{ id: 'odd', ...oddServer() }],
        plugins: [anchoredAudit(dir), { ratelimit: { defaultPerMinute: 60_000 } }, 'redact'],
      },
      env: { LD_PRELOAD: library!, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' },
    })
    const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: 'call', perSecond: 100 })
    await load.answers(50)
    for (const offset of ['-2h', '+1d', '+0']) {
      turn(offset)
      await load.answers(100)
    }
    await load.end()
    expect([...load.failed]).toEqual([])
    expect((await readHealth(product.origin)).status).toBe('ok')
    expect(await product.stop()).toEqual({ code: 0, signal: null })

    const records = expectProven(dir, load.answered)
    expect(records.map(record => record.seq)).toEqual(records.map((_, i) => i + 1))
    const steps = records.filter(record => record.type === 'clock.step').map(record => Number(record.detail?.stepMs) / HOUR_MS)
    expect(steps.map(Math.round)).toEqual([-2, 26, -24])
    // By the order of the record no answer is older than its call, whatever the clock said.
    expect(records.filter(record => record.type === 'outcome' && Number(record.durationMs) < 0)).toEqual([])
  })
})
