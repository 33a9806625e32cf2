// The disk reports an error at fsync, or the gateway dies in it: calls are refused meanwhile, it heals by itself, and nothing that was acknowledged is lost.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, startProduct, untilHealth } from '../e2e/product.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { startLoad } from './load.ts'
import { hasStrace, inject } from './strace.ts'
import { anchoredAudit, expectProven } from './whole-log.ts'

const MINUTES = 60_000
const GENEROUS_MS = 5000
const ROUNDS = process.env.MCPGW_CHAOS === 'full' ? 50 : 4
const configIn = (dir: string): object => ({ servers: [{ id: 'odd', ...oddServer() }], plugins: [anchoredAudit(dir), 'redact'] })

describe.skipIf(!isBuilt || !hasStrace)('fsync', () => {
  test('that fails: calls are refused until it works again, and all that was answered is on record', { timeout: 2 * MINUTES }, async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config: configIn(dir) })
    const audit = (status: string): ReturnType<typeof untilHealth> =>
      untilHealth(product.origin, health => health.components.some(one => one.name === 'audit' && one.status === status))
    const session = await openSession(product.origin)
    const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: 'call', perSecond: 100 })
    await load.answers(50)
    const stopFailing = await inject(product.pid, 'fsync,fdatasync:error=EIO')
    const broken = performance.now()
    const why = (await audit('failing')).components.find(one => one.name === 'audit')?.why
    const noticed = performance.now() - broken
    expect(why).toMatch(/disk I\/O error/)
    let slowest = 0
    for (let n = 0; n < 20; n++) {
      const began = performance.now()
      expect(codeOf(await session.call('odd__echo', { name: `broken-${n}` }))).toBe('not-recorded')
      slowest = Math.max(slowest, performance.now() - began)
    }
    expect(slowest).toBeLessThan(GENEROUS_MS)
    expect((await fetch(`${product.origin}/readyz`)).status).toBe(503)
    // Long enough for recoveries to fail, too.
    await new Promise(resolve => setTimeout(resolve, 1500))
    await stopFailing()
    const mended = performance.now()
    await audit('ok')
    const recovered = performance.now() - mended
    await load.answers(50)
    await load.end()
    console.info(
      `noticed after ${noticed.toFixed(0)} ms; refused in ${slowest.toFixed(0)} ms at most; recorded again ${recovered.toFixed(0)} ms after fsync worked`,
    )
    expect([...load.failed.keys()].filter(code => code !== 'not-recorded' && code !== 'withheld')).toEqual([])
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    const records = expectProven(dir, load.answered)
    expect(new Set(records.map(record => record.stream)).size).toBe(1)
    expect(records.some(record => record.type === 'audit.recovered')).toBe(true)
  })

  test('in which the gateway is killed, again and again: the next start puts the record in order', { timeout: 10 * MINUTES }, async () => {
    const dir = createFolder()
    const answered: string[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const product = await startProduct({ dir, config: configIn(dir) })
      const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: `round${round}`, perSecond: 100 })
      await load.answers(20)
      await inject(product.pid, `fsync,fdatasync:signal=KILL:when=${1 + Math.floor(Math.random() * 20)}`)
      expect(await product.exited).toEqual({ code: null, signal: 'SIGKILL' })
      await load.end()
      answered.push(...load.answered)
      expectProven(dir, answered, { ended: false })
    }
    const last = await startProduct({ dir, config: configIn(dir) })
    expect(await last.stop()).toEqual({ code: 0, signal: null })
    expectProven(dir, answered)
  })
})
