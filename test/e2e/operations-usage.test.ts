// Usage, asked for through the gateway itself: the report of the command, up to the call before, and each tenant its own.
import { describe, expect, test } from 'vitest'
import { startOperations } from './operations-world.ts'
import { isBuilt, runCli } from './product.ts'

const PLUGINS = [{ audit: { durability: 'os' } }, 'auth', 'policy', { meter: { prices: [{ tool: 'echo', units: 2 }] } }]

describe.skipIf(!isBuilt)('usage, asked for through the gateway', { timeout: 60_000 }, () => {
  test('is what the command shows; of each tenant its own', async () => {
    const { dir, callers } = await startOperations({ plugins: PLUGINS })
    const { admin, agent, other, ops } = callers
    for (const who of [admin, admin, agent, other]) await who.call('odd__echo', { text: 'x' })
    const own = await admin.ask('GET', '/usage?by=consumer&by=tool')
    expect(own.status).toBe(200)
    expect(own.body).toMatchObject({ tenant: 'acme', by: ['consumer', 'tool'], total: { calls: 3, units: '6' } })
    expect(own.body.rows).toEqual([
      expect.objectContaining({ consumer: 'ada', tool: 'echo', calls: 2 }),
      expect.objectContaining({ consumer: 'bot', tool: 'echo', calls: 1 }),
    ])
    const theirs = (await other.call('gateway__usage', { by: ['tenant'] })).structuredContent
    expect(theirs.rows).toEqual([expect.objectContaining({ tenant: 'globex' })])
    const all = await ops.ask('GET', '/usage?by=tenant&consumer=ada')
    expect(all.body.rows).toEqual([expect.objectContaining({ tenant: 'acme', units: '4' })])
    const shown = JSON.parse(runCli(['usage', 'ada', '--by', 'tool', '--tenant', 'globex', '--json'], dir).out)
    expect((await ops.ask('GET', '/usage?by=tool&consumer=ada&tenant=globex')).body).toEqual(shown)
    expect(await admin.ask('GET', '/usage?tenant=globex')).toMatchObject({ status: 400, body: { error: { field: 'tenant' } } })
    expect(await admin.ask('GET', '/usage?period=soon')).toMatchObject({ status: 400, body: { error: { field: 'period' } } })
    expect((await agent.ask('GET', '/usage')).status).toBe(404)
  })
})
