// A server that hangs: no more calls than its limits allow are at it, then it is left alone, seen as such everywhere, and used again once it answers.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, readHealth, runCli, serverIn, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { textOf } from './processes.ts'

const PLACES = 25
const EXCESS = 10

describe.skipIf(!isBuilt)('a server that hangs', () => {
  test('is not buried, is left alone after twenty calls, and comes back; the other goes on, and all is on record', async () => {
    const dir = createFolder()
    const slow = { id: 'slow', ...oddServer(), timeout: '1s', limits: { concurrency: PLACES, queue: 0 } }
    const config = { servers: [slow, { id: 'good', ...oddServer() }], plugins: ['audit'] }
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin)
    await session.ask('tools/list')

    const hanging = Array.from({ length: PLACES + EXCESS }, () => session.call('slow__hang'))
    expect(textOf(await session.call('good__echo', { meanwhile: 1 }))).toEqual({ meanwhile: 1 })
    const codes = (await Promise.all(hanging)).map(codeOf)
    expect(codes.filter(code => code === 'upstream-busy')).toHaveLength(EXCESS)
    expect(codes.filter(code => code === 'upstream-timeout')).toHaveLength(PLACES)

    const refused = await session.call('slow__echo')
    expect(codeOf(refused)).toBe('upstream-unavailable')
    expect(refused.error.data.mcpgw.retryAfter).toBe(1)
    const health = await readHealth(product.origin)
    expect(health.status).toBe('degraded')
    expect(health.components.find(one => one.name === 'server/slow')).toMatchObject({
      status: 'degraded',
      why: expect.stringContaining('failed'),
    })
    expect(serverIn(health, 'slow')).toMatchObject({ state: 'ready', calls: { breaker: 'open', underWay: 0, busy: EXCESS } })
    expect(serverIn(health, 'good')).toMatchObject({ calls: { breaker: 'closed' } })
    const metrics = await (await fetch(`${product.origin}/metrics`)).text()
    expect(metrics).toContain('mcpgw_server_breaker{server="slow"} 2')
    expect(metrics).toContain(`mcpgw_server_calls_refused_total{server="slow",code="upstream-busy"} ${EXCESS}`)
    writeFileSync(join(dir, 'asking.yaml'), JSON.stringify({ ...config, listen: new URL(product.origin).host }))
    const status = runCli(['servers', 'status', '-c', 'asking.yaml'], dir)
    expect([status.code, status.out]).toEqual([1, expect.stringMatching(/^slow +ready +.*breaker open: .*failed/m)])

    let tried = refused
    while (codeOf(tried) === 'upstream-unavailable') tried = await session.call('slow__echo', { tried: true })
    expect(textOf(tried)).toEqual({ tried: true })
    await untilHealth(product.origin, seen => seen.status === 'ok')
    await product.stop()

    const records = readRecords(dir)
    const outcomes = records.filter(record => record.type === 'outcome' && record.tool === 'hang')
    expect(outcomes.map(({ errorCode }) => errorCode).filter(code => code === 'upstream-busy')).toHaveLength(EXCESS)
    expect(outcomes.filter(({ outcome }) => outcome === 'timeout')).toHaveLength(PLACES)
    const changes = records
      .filter(record => record.type === 'server.breaker')
      .map(({ detail }) => [detail?.server, detail?.from, detail?.to])
    expect(changes).toEqual([
      ['slow', 'closed', 'open'],
      ['slow', 'open', 'half-open'],
      ['slow', 'half-open', 'closed'],
    ])
  })
})
