// The outbox in PostgreSQL: the same billing, one gateway of several that sends, and a database that goes away.
import { randomBytes } from 'node:crypto'
import { runCommand } from 'mcpgw/testing'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import stripe from '../../../plugins/stripe/index.ts'
import { createFolder, say } from '../../core/commands/run-command.ts'
import { createDatabase, createRole, server, run as sql, withParts } from '../../postgres/server.ts'
import { createWorld, DAY, HOUR, run, START, type World } from './billing-world.ts'

describe.skipIf(server === undefined)('an outbox in PostgreSQL', () => {
  let url: string
  beforeAll(async () => {
    url = await createDatabase()
  })
  beforeEach(() => sql('DROP SCHEMA IF EXISTS mcpgw_stripe CASCADE', url))
  const world = (more: Record<string, unknown> = {}): Promise<World> =>
    createWorld({ stores: createStores({ dataDir: `/nowhere-${randomBytes(4).toString('hex')}`, url }), config: more })

  test.each(['v1', 'v2'])('%s: each call is billed once over an outage of 26 hours, a kill, a late call and a correction', async api => {
    const w = await world({ api })
    w.usage.add({ at: START, calls: 7 })
    w.usage.add({ at: START, calls: 3, tenant: 'globex' })
    let isDown = true
    w.stripe.fault = ({ path }) => (isDown && /meter_event/.test(path) ? '500-after' : undefined)
    let isKilled = false
    const first = w.start(() => isKilled)
    await run(w, first, 2 * HOUR)
    isKilled = true
    await run(w, first, HOUR)
    const worker = w.start()
    for (let hour = 0; hour < 26; hour++) {
      w.clock.pass(HOUR)
      await worker.pass()
    }
    isDown = false
    w.usage.add({ at: START, calls: 2 })
    await run(w, worker, 2 * HOUR)
    w.usage.add({ at: START, calls: -1 })
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(8)
    expect(w.stripe.total('cus_globex', 'tool_calls')).toBe(3)
    expect(await w.lines()).toEqual([])
    expect(w.health()).toBeUndefined()
  })

  test('of several gateways one bills; when it ends, another one goes on', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 4 })
    w.clock.pass(2 * HOUR)
    const workers = [w.start(), w.start(), w.start()]
    for (let i = 0; i < 3; i++) await Promise.all(workers.map(worker => worker.pass()))
    expect(w.stripe.ledger).toHaveLength(1)
    w.usage.add({ at: START, calls: 1 })
    // Whichever it was.
    for (const worker of workers.splice(0, 2)) await worker.stop()
    await run(w, workers[0]!, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(5)
  })

  test('a gateway whose session is ended goes on with a new one, and nothing is billed twice', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 4 })
    w.clock.pass(2 * HOUR)
    const worker = w.start()
    await worker.pass()
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND datname = current_database()",
      url,
    )
    w.usage.add({ at: START, calls: 1 })
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(5)
    expect(w.health()).toBeUndefined()
  })

  test('resolve changes a line beside the gateway that bills', async () => {
    const w = await world()
    w.usage.add({ at: START, calls: 4, tenant: 'initech' })
    const worker = w.start()
    await run(w, worker, 2 * HOUR)
    const [line] = await w.lines()
    const config = { dryRun: true, meters: [{ event: 'tool_calls' }] }
    const said = await runCommand(stripe, ['stripe', 'resolve'], {
      config,
      stores: w.stores,
      clock: w.clock,
      args: [line!.id],
      options: { billed: true },
      recorded: [],
    })
    expect(said).toMatchObject({ code: 0 })
    w.clock.pass(DAY)
    await worker.pass()
    expect(await w.lines()).toEqual([])
    expect(w.stripe.ledger).toEqual([])
  })

  test('a role that may not make tables is told so, and bills once the owner has made them with migrate', async () => {
    const role = await createRole(url)
    const mine = withParts(url, { user: role, password: `password-of-${role}` })
    const w = await createWorld({ stores: createStores({ dataDir: '/nowhere', url: mine }) })
    w.usage.add({ at: START, calls: 4 })
    w.clock.pass(2 * HOUR)
    const worker = w.start()
    await worker.pass()
    expect(w.health()).toMatch('the owner of the database makes them')
    const plugins = 'plugins: [audit, meter, {stripe: {dryRun: true, meters: [{event: tool_calls}]}}]'
    const owner = createFolder({ 'mcpgw.yaml': `servers: []\n${plugins}\nstore: {url: "${url}"}\n` })
    const said = await say(owner, ['migrate', 'stripe'])
    expect(said).toMatchObject({ code: 0, out: 'stripe: tables brought from version 0 to 2 (schema mcpgw_stripe)\n' })
    await sql(
      `GRANT USAGE ON SCHEMA mcpgw_stripe TO ${role}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA mcpgw_stripe TO ${role}`,
      url,
    )
    await run(w, worker, HOUR)
    expect(w.stripe.total('cus_acme', 'tool_calls')).toBe(4)
  })
})
