// A gateway whose role owns none of its tables, with the words of examples/deploy/grants.sql: all that it keeps is kept, and it can change no table.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSharedShelf, tables } from '../../core/credentials/shared-shelf.ts'
import { createStores } from '../../core/store/index.ts'
import { say } from '../core/commands/run-command.ts'
import { createFolder, isBuilt, readHealth, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { root } from '../packed-project.ts'
import { createDatabase, createRole, run, server, withParts } from '../postgres/server.ts'

const grants = readFileSync(join(root, 'examples/deploy/grants.sql'), 'utf8')
const ofLog = readFileSync(join(root, 'plugins/audit/README.md'), 'utf8').match(/-- As mcpgw_owner, after[^`]*/)![0]
const POLICY = `policy "all" edition 1
allow all {
  who   any
  call  */*
  then  approval(by: "role:chief", timeout: 15m)
  when  { args.ask == true }
}
allow rest {
  who   any
  call  */*, gateway/*
  unless { has(args.ask) }
}
`

describe.skipIf(server === undefined || !isBuilt)('a role that owns nothing', () => {
  test('keeps keys, usage, approvals, kills, servers and what users give, and changes no table', async () => {
    const url = await createDatabase()
    const names: Record<string, string> = {}
    for (const role of ['owner', 'writer', 'auditor', 'retention']) names[role] = await createRole(url)
    const as = (role: string): string => withParts(url, { user: names[role]!, password: `password-of-${names[role]!}` })
    const named = (sql: string): string => sql.replaceAll(/\bmcpgw_(owner|writer|auditor|retention)\b/g, (_, role: string) => names[role]!)
    await run(`GRANT CREATE ON DATABASE ${new URL(url).pathname.slice(1)} TO ${names.owner!}`)
    const config = (role: string): object => ({
      servers: [{ id: 'odd', ...oddServer() }],
      store: { url: as(role) },
      policies: ['main.policy'],
      registration: { commands: true },
      plugins: ['audit', { auth: { keys: { shared: true } } }, 'meter', 'policy', 'approval'],
    })
    const folder = (role: string): string =>
      createFolder({ 'mcpgw.yaml': JSON.stringify(config(role)), 'main.policy': POLICY, 'more.json': JSON.stringify(oddServer()) })

    expect(await say(folder('owner'), ['migrate'])).toMatchObject({ code: 0 })
    const shared = createStores({ dataDir: createFolder(), url: as('owner') }).postgres()!
    await shared.migrate(tables, 'apply')
    await shared.close()
    const dir = folder('writer')
    expect(await say(dir, ['keys', 'create', 'An agent', 'agent-1'])).toMatchObject({
      code: 3,
      err: expect.stringMatching(/permission denied for schema mcpgw_auth; .*grants\.sql/) as string,
    })
    for (const sql of [ofLog, grants]) await run(named(sql), as('owner'))

    const made = await say(dir, ['keys', 'create', 'An agent', 'agent-1'])
    const key = made.out.trim()
    expect(await say(dir, ['servers', 'add', 'more', '--from', 'more.json'])).toMatchObject({ code: 0 })
    const product = await startProduct({ dir, args: ['--http', '127.0.0.1:0'] })
    const call = async (tool: string, args: object): Promise<{ readonly status: number; readonly text: string }> => {
      const answer = await fetch(`${product.origin}/tools/${tool}/call`, {
        method: 'POST',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ arguments: args }),
      })
      return { status: answer.status, text: await answer.text() }
    }
    for (const tool of ['odd__echo', 'more__echo']) expect((await call(tool, { text: 'x' })).status, tool).toBe(200)
    expect((await call('odd__echo', { text: 'x', ask: true })).text).toContain('approval')
    for (const words of [
      ['--server', 'more'],
      ['--lift', '--server', 'more'],
    ])
      expect((await say(dir, ['kill', ...words])).code).toBe(0)
    const count = async (table: string): Promise<number> => Number((await run(`SELECT count(*) AS n FROM ${table}`, url))[0]!.n)
    for (const table of ['mcpgw_usage.usage', 'mcpgw_approval.request'])
      await expect.poll(() => count(table), { timeout: 30_000 }).toBeGreaterThan(0)
    expect((await readHealth(product.origin)).components.filter(({ status }) => status !== 'ok')).toEqual([])
    await product.stop()
    expect(await count('mcpgw_auth.last_use')).toBe(1)

    const place = createStores({ dataDir: createFolder(), url: as('writer') })
    const shelf = await openSharedShelf(place.postgres()!, new Uint8Array(32), place)
    const sealed = new Uint8Array([1])
    await shelf.put({ id: 'a', sealed })
    expect(await shelf.replace({ id: 'a', sealed: new Uint8Array([2]) }, sealed)).toBe(true)
    expect(await shelf.remove({ id: 'a', sealed: new Uint8Array([2]) })).toBe(true)
    const { visits } = shelf.shared!
    expect(await visits.begin({ id: 'v', sealed }, 'ann', { goodMs: 60_000, ofOne: 1, inAll: 10 })).toBe(true)
    expect(await visits.remove({ id: 'v', sealed })).toBe(true)
    await shelf.close()

    for (const sql of [
      'DROP TABLE mcpgw_auth.key',
      'ALTER TABLE mcpgw_server.server ADD x int',
      'INSERT INTO mcpgw_kill.schema_version VALUES (9)',
      'CREATE TABLE mcpgw_usage.other ()',
    ])
      await expect(run(sql, as('writer')), sql).rejects.toThrow(/permission denied|must be owner/)
  }, 180_000)
})
