// `mcpgw usage` on what real calls left: who used what, in every form, and whether the audit log says the same.
import type { Inspection } from 'mcpgw/plugin'
import { runCommand } from 'mcpgw/testing'
import { describe, expect, test } from 'vitest'
import meter from '../../../plugins/meter/index.ts'
import { openUsage } from '../../../plugins/meter/store/open.ts'
import { agent, createWorld, NOON, type World } from './gateway.ts'

const config = { prices: [{ server: 'crm', tool: 'export_*', units: 2.5 }], defaultPrice: 0.125 }

/** Five calls of two tenants and three people, one of them an error of the tool. */
async function work(world: World): Promise<void> {
  const gateway = await world.start(config)
  const { upstream } = gateway
  upstream.on('crm', () => ({ content: [] }))
  await gateway.call('crm', 'export_all', { a: 1 }, agent('ann'))
  await gateway.call('crm', 'export_all', {}, agent('ann'))
  await gateway.call('crm', 'find', {}, agent('ben'))
  upstream.on('crm', () => ({ isError: true, content: [] }))
  await gateway.call('crm', 'find', {}, agent('ben'))
  await gateway.call('fs', 'read', {}, agent('=cmd', 'beta'))
  await world.settle()
  await gateway.stop()
}

describe('usage', () => {
  test('is by consumer, with calls, errors, units and latency', async () => {
    const world = createWorld()
    await work(world)
    const { code, out, err } = await world.usage()
    expect([code, err]).toEqual([0, ''])
    const lines = out
      .trimEnd()
      .split('\n')
      .map(line => line.split(/ {2,}/))
    expect(lines[0]).toEqual(['CONSUMER', 'CALLS', 'ERRORS', 'IN', 'OUT', 'UNITS', 'P50', 'P95', 'P99'])
    expect(lines.slice(1).map(([name, calls, errors, , , units]) => [name, calls, errors, units])).toEqual([
      ['=cmd', '1', '0', '0.125'],
      ['ann', '2', '0', '5'],
      ['ben', '2', '1', '0.25'],
      ['total', '5', '1', '5.375'],
    ])
  })

  test('is by any columns; a chargeback report is one by tenant and tool as CSV, whose names no spreadsheet takes for formulas', async () => {
    const world = createWorld()
    await work(world)
    const { out } = await world.usage({ by: 'tenant,tool', period: '2026-11', format: 'csv' })
    const rows = out
      .trimEnd()
      .split('\r\n')
      .map(line => line.split(','))
    expect(rows[0]!.slice(0, 4)).toEqual(['tenant', 'tool', 'calls', 'tool_errors'])
    expect(rows.slice(1).map(row => row.slice(0, 4))).toEqual([
      ['acme', 'export_all', '2', '0'],
      ['acme', 'find', '2', '1'],
      ['beta', 'read', '1', '0'],
    ])
    expect((await world.usage({ by: 'consumer', format: 'csv' })).out).toContain("\r\n'=cmd,1,")
    const byOutcome = JSON.parse((await world.usage({ by: 'server,outcome', tenant: 'acme' }, { json: true })).out) as { rows: unknown[] }
    expect(byOutcome.rows).toEqual([
      { server: 'crm', outcome: 'answered', count: 3 },
      { server: 'crm', outcome: 'tool-error', count: 1 },
    ])
  })

  test('of one consumer is by server and tool, and JSON says all of it', async () => {
    const world = createWorld()
    await work(world)
    const { out } = await world.usage({}, { args: ['ann'], json: true })
    const document = JSON.parse(out) as { rows: Record<string, unknown>[]; total: unknown }
    expect(document).toMatchObject({
      period: { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' },
      consumer: 'ann',
      by: ['server', 'tool'],
    })
    expect(document.rows).toMatchObject([
      { server: 'crm', tool: 'export_all', calls: 2, units: '5', errors: { tool: 0, protocol: 0, transport: 0 } },
    ])
    expect(document.rows[0]!.requestBytes).toBe(7 + 2)
    expect((await world.usage({}, { args: ['nobody'] })).err).toBe('usage: nothing was counted in this time\n')
  })

  test('goes by UTC days, months and hours, and only of the time asked for', async () => {
    const world = createWorld()
    await work(world)
    expect((await world.usage({ by: 'hour', period: 'today' })).out).toMatch(/^HOUR .*\n2026-11-28T12:00Z +5 /)
    expect((await world.usage({ by: 'month', period: '2026-11-28' })).out).toMatch(/\n2026-11 +5 /)
    expect((await world.usage({ by: 'day', period: '2026-11-27' })).err).toContain('nothing was counted')
    expect((await world.usage({ by: 'day', period: 'last-month' })).err).toContain('nothing was counted')
  })

  test.each([
    [{ period: '2026-13' }, '--period: expected a month'],
    [{ period: '2026-11-30..2026-11-01' }, '--period: expected a month'],
    [{ by: 'colour' }, '"colour" is none'],
    [{ format: 'xml' }, '--format: expected one of table, csv, json'],
    [{ reconcile: true, by: 'tool' }, '--reconcile goes by day, tenant, server and tool'],
  ])('%j is a usage error', async (options, message) => {
    const world = createWorld()
    const { code, err } = await world.usage(options as never)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  test('where nothing was ever counted that is said, with the file', async () => {
    expect(await createWorld().usage()).toMatchObject({ code: 3, err: expect.stringMatching(/usage\.db: no such file/) as string })
  })
})

test('usage --check-prices names each price that is for nothing the servers offer', async () => {
  const item = (name: string) => ({ name, definition: { value: {}, text: '{}', bytes: Buffer.from('{}') } })
  const crm = { id: 'crm', tools: [item('find'), item('export_all')], resources: [], templates: [], prompts: [item('greet')] }
  const known = { dischargers: [], roles: [], tenants: [] }
  const check = (prices: object[], servers: Inspection['servers'] = [crm]) =>
    runCommand(meter, ['usage'], { options: { checkPrices: true }, config: { prices }, inspection: { ...known, servers } })
  const good = [
    { tool: 'export_*', units: 1 },
    { server: 'crm', units: 1 },
    { tool: 'greet', units: 1 },
    { tool: 'resources/read', units: 1 },
  ]
  expect(await check(good)).toMatchObject({ code: 0, out: 'every price is for something that a server offers\n' })
  expect(await check([...good, { server: 'crm', tool: 'exprot_all', units: 0.5 }])).toMatchObject({
    code: 1,
    out: 'no server offers what this price is for: server crm, tool exprot_all: 0.5\n',
  })
  expect(await check(good, [crm, { id: 'fs', failed: 'it does not start' }])).toMatchObject({
    code: 3,
    err: 'usage: server fs could not be asked: it does not start\n',
  })
})

describe('usage --reconcile', () => {
  const reconcile = (world: World, json = false) => world.usage({ reconcile: true }, { config, json })

  test('counts the audit log once more, and says that it has the same', async () => {
    const world = createWorld()
    await work(world)
    expect(await reconcile(world)).toEqual({ code: 0, out: 'EQUAL: usage has what the audit log has\n', err: '' })
  })

  test('names each sum that differs, and ends with 1', async () => {
    const world = createWorld()
    await work(world)
    const db = world.stores.open('usage.db')
    db.exec("UPDATE usage SET answered = answered + 1 WHERE target = 'find'")
    db.close()
    const { code, out } = await reconcile(world)
    expect(code).toBe(1)
    expect(out).toBe(
      'DIFFERENT: 1 sums are not those of the audit log\n' +
        'DAY         TENANT  SERVER  TOOL  LOG  USAGE\n2026-11-28  acme    crm     find    2      3\n',
    )
  })

  test('what waits to be counted is no difference', async () => {
    const world = createWorld()
    await work(world)
    const gateway = await world.start(config)
    await gateway.call('crm', 'find', {}, agent('ben'))
    const { code, out } = await reconcile(world)
    expect(code).toBe(0)
    expect(out).toContain('1 outcomes are not counted yet')
    await world.settle()
    expect((await reconcile(world)).out).toBe('EQUAL: usage has what the audit log has\n')
  })

  test('records that were taken out before they were counted are told, by health and here', async () => {
    const world = createWorld()
    await work(world)
    const log = world.stores.open('audit.db')
    const [{ stream } = { stream: '' }] = log.prepare('SELECT stream FROM record LIMIT 1').all()
    log.close()
    const store = await openUsage(world.stores, { path: 'usage.db' }, 'write')
    await store.add({ stream: 'gone', after: 0, through: 9, at: NOON, rows: [], versions: [], lost: { stream: 'gone', first: 1, last: 9 } })
    await store.close()
    expect(stream).not.toBe('')
    const gateway = await world.start(config)
    expect(gateway.kernel.health.view().components).toContainEqual(
      expect.objectContaining({
        name: 'meter',
        status: 'degraded',
        why: expect.stringContaining('9 records went from the audit log') as string,
      }),
    )
    const { code, out } = await reconcile(world, true)
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ equal: false, lost: 9 })
  })
})
