// The log as callers may ask it of the gateway itself: each its own tenant, and each reading on record.
import { describe, expect, test } from 'vitest'
import { startOperations } from './operations-world.ts'
import { isBuilt } from './product.ts'
import { readRecords } from './records.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

describe.skipIf(!isBuilt)('the log, asked through the gateway', { timeout: 60_000 }, () => {
  test('shows each tenant its own, and operators all; as a tool and by its route alike', async () => {
    const { callers } = await startOperations()
    const { admin, other, ops } = callers
    await admin.call('odd__echo', { text: 'of acme' })
    await other.call('odd__echo', { text: 'of globex' })
    const tenantsIn = (records: readonly Any[]): unknown[] => [...new Set(records.map(({ tenant }) => tenant))]
    const own = await admin.ask('GET', '/audit/log?all=true&limit=200&contents=true')
    expect(own.status).toBe(200)
    expect(tenantsIn(own.body.records)).toEqual(['acme'])
    expect(own.body.records).toContainEqual(expect.objectContaining({ type: 'intent', tool: 'echo', args: { text: 'of acme' } }))
    expect(JSON.stringify(own.body)).not.toContain('globex')
    for (const record of own.body.records) expect(Object.keys(record)).not.toEqual(expect.arrayContaining(['seq']))
    const asTool = await other.call('gateway__audit_log', { tool: 'echo' })
    expect(asTool.structuredContent.records).toEqual([expect.objectContaining({ tenant: 'globex', tool: 'echo', outcome: 'answered' })])
    const all = await ops.ask('GET', '/audit/log?tool=echo')
    expect(tenantsIn(all.body.records)).toEqual(['acme', 'globex'])
    expect(all.body.records[0]).toHaveProperty('seq')
    expect((await ops.ask('GET', '/audit/log?tool=echo&tenant=acme')).body.records).toHaveLength(1)
    expect(await admin.ask('GET', '/audit/log?tenant=globex')).toMatchObject({ status: 400, body: { error: { field: 'tenant' } } })
  })

  test('puts each reading on record under the name of whoever reads, in their tenant, before it is answered', async () => {
    const { dir, callers } = await startOperations()
    await callers.admin.ask('GET', '/audit/log?limit=3')
    await callers.ops.ask('GET', '/audit/stats')
    await callers.other.ask('GET', '/audit/verify')
    const reads = readRecords(dir).filter(({ type }) => /^log\.(read|verify)$/.test(type))
    expect(reads.map(({ type, tenant, actor, detail }) => [type, tenant, actor?.id, detail?.command])).toEqual([
      ['log.read', 'acme', 'ada', 'audit log'],
      ['log.read', 'platform', 'opal', 'audit stats'],
      ['log.verify', 'globex', 'olaf', 'audit verify'],
    ])
    const calls = readRecords(dir).filter(({ type, server }) => type === 'intent' && server === 'gateway')
    expect(reads.map(({ detail }) => detail?.call)).toEqual(calls.map(({ callId }) => callId))
    const shown = await callers.admin.ask('GET', '/audit/log?type=log.read')
    expect(shown.body.records.map((one: Any) => one.actor.id)).toEqual(['ada'])
  })

  test('tells a tenant that the log is sound, and nothing of how much there is', async () => {
    const { callers } = await startOperations()
    await callers.admin.call('odd__echo', { text: 'x' })
    const own = await callers.other.ask('GET', '/audit/verify')
    expect(own).toEqual({ status: 200, body: { verdict: 'consistent', completeness: 'not proven', upTo: null } })
    const told = await callers.other.ask('GET', '/audit/log?type=log.verify')
    expect(told.body.records.map(({ detail }: Any) => Object.keys(detail).toSorted())).toEqual([
      ['call', 'command', 'exitCode', 'options', 'verdict'],
    ])
    const whole = await callers.ops.ask('GET', '/audit/verify')
    expect(whole.body).toMatchObject({ verdict: 'consistent', records: expect.any(Number), streams: expect.any(Number) })
  })

  test('counts for a tenant what is its own', async () => {
    const { callers } = await startOperations()
    for (const who of [callers.admin, callers.admin, callers.other]) await who.call('odd__echo', { text: 'x' })
    const { body } = await callers.admin.ask('GET', '/audit/stats?tool=echo')
    expect(body).toMatchObject({ calls: 2, errors: 0, outcomes: { answered: 2 }, consumers: [{ name: 'ada', calls: 2 }] })
    expect((await callers.ops.ask('GET', '/audit/stats?tool=echo')).body.calls).toBe(3)
  })

  test('goes on page by page with a cursor that tells nothing and that nobody can make', async () => {
    const { callers } = await startOperations()
    for (let i = 0; i < 3; i++) await callers.admin.call('odd__echo', { text: `${i}` })
    let after = 'start'
    const seen: Any[] = []
    for (let page = 0; page < 2; page++) {
      const { body } = await callers.admin.ask('GET', `/audit/log?tool=echo&limit=2&after=${after}`)
      seen.push(...body.records)
      after = body.next
    }
    expect(new Set(seen.map(({ callId }) => callId)).size).toBe(3)
    expect((await callers.admin.ask('GET', `/audit/log?tool=echo&after=${after}`)).body.records).toEqual([])
    const made = Buffer.from('7').toString('base64url')
    for (const cursor of [made, 'x', `${after.slice(0, -4)}AAAA`])
      expect(await callers.admin.ask('GET', `/audit/log?after=${cursor}`)).toMatchObject({
        status: 400,
        body: { error: { field: 'after' } },
      })
  })

  test('is denied by policy, and not there where the config does not name it', async () => {
    const { callers } = await startOperations({ tools: ['audit_stats'] })
    expect((await callers.agent.ask('GET', '/audit/stats')).status).toBe(404)
    expect((await callers.admin.ask('GET', '/audit/stats')).status).toBe(200)
    expect((await callers.admin.ask('GET', '/audit/log')).status).toBe(404)
    expect(await callers.admin.ask('GET', '/audit/stats?since=yesterday')).toMatchObject({
      status: 400,
      body: { error: { field: 'since' } },
    })
  })
})
