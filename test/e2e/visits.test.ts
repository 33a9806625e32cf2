// A user's visit to a real OpenID provider that comes to another gateway of the database with each step, as behind a balancer.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import { openBrowser } from '../core/credentials/user-setting.ts'
import { closeAfterEach } from '../core/data-plane/opened.ts'
import { createDatabase, server, run as sql } from '../postgres/server.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { connect, createKey, linkOf, namesOf, startWorld } from './user-world.ts'

const opened = closeAfterEach()
const portOf = ({ origin }: Product): number => Number(new URL(origin).port)

describe.skipIf(!isBuilt || server === undefined)('two gateways with one database', () => {
  test('a visit begun by a call to one is shown, confirmed and ended at either, once; who made the call is told, and goes on', async () => {
    const world = await startWorld(opened, 600)
    const url = await createDatabase()
    const [dir, second] = [createFolder(), createFolder()]
    const keys = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
    const annKey = createKey(dir, 'ann')
    const other = runCli(['keys', 'create', 'ann elsewhere', 'ann', '--tenant', 'elsewhere', '--json'], dir)
    expect(other.code, other.err).toBe(0)
    const config = { ...world.configOf({ url }, keys), plugins: [{ auth: { keys } }] }
    const one = await startProduct({ dir, config })
    mkdirSync(join(second, '.mcpgw'), { mode: 0o700 })
    const ann = await connect(opened, one, annKey)
    const link = await linkOf(ann)
    copyFileSync(join(dir, '.mcpgw/credentials.key'), join(second, '.mcpgw/credentials.key'))
    const two = await startProduct({ dir: second, config })
    const changed = new Promise<void>(resolve => ann.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()))

    const at = { port: portOf(two) }
    const browser = openBrowser(at)
    const page = await browser.get(link)
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('<b>ann</b>')])
    // Opened once at one gateway, it is not opened again at another.
    at.port = portOf(one)
    expect((await openBrowser(at).get(link)).status).toBe(400)
    const left = await browser.submit(page)
    expect(left.status).toBe(303)
    const back = await world.provider.signIn(new URL(left.location), 'ann-at-crm')
    at.port = portOf(two)
    expect((await openBrowser(at).get(back.href)).status).toBe(400)
    const done = await browser.get(back.href)
    expect([done.status, done.text]).toEqual([200, expect.stringContaining('has authorised this gateway')])
    for (const product of [one, two]) {
      at.port = portOf(product)
      expect((await browser.get(back.href)).text).toContain('was used before')
    }
    expect(await sql('SELECT * FROM mcpgw_credentials.visit', url)).toEqual([])

    await changed
    expect(await namesOf(ann)).toEqual(['crm__echo'])
    for (const product of [one, two])
      expect(JSON.stringify(await (await connect(opened, product, annKey)).callTool({ name: 'crm__echo' }))).toContain('content')
    expect(new Set(world.shown.map(({ sub, isGood }) => `${sub} ${isGood}`))).toEqual(new Set(['ann-at-crm true']))
    expect(world.provider.asked.filter(path => path === 'POST /token').length).toBe(1)
    // Of the same name in another tenant is another one.
    const elsewhere = await connect(opened, two, (JSON.parse(other.out) as { key: string }).key)
    expect(await namesOf(elsewhere)).toEqual(['crm__authorize'])
  }, 120_000)
})
