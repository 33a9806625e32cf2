// A user authorises the built gateway at a real OpenID provider, which knows nothing of it but a client: asked, allowed, called, renewed, revoked.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { closeAfterEach } from '../core/data-plane/opened.ts'
import { createDatabase, server as database } from '../postgres/server.ts'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { authorise, connect, createKey, linkOf, namesOf, runBeside, SECRET, startWorld } from './user-world.ts'

const opened = closeAfterEach()

describe.skipIf(!isBuilt)('a user', () => {
  test('authorises the gateway once; his calls, and nobody else’s, go on with his own token, renewed, until it is revoked', async () => {
    const world = await startWorld(opened)
    const { provider, shown, upstream } = world
    const dir = createFolder()
    const [annKey, bobKey] = [createKey(dir, 'ann'), createKey(dir, 'bob')]
    const product = await startProduct({ dir, config: world.configOf() })
    const [ann, bob] = [await connect(opened, product, annKey), await connect(opened, product, bobKey)]
    expect(await namesOf(ann)).toEqual(['crm__authorize'])
    await authorise(world, product, await linkOf(ann), 'ann-at-crm')
    expect(await namesOf(ann)).toEqual(['crm__echo'])
    expect(JSON.stringify(await ann.callTool({ name: 'crm__echo' }))).toContain('content')
    expect(await namesOf(bob)).toEqual(['crm__authorize'])

    // Past the end of the first ones.
    const first = shown.length
    await expect
      .poll(
        async () => {
          await ann.callTool({ name: 'crm__echo' })
          return new Set(shown.slice(first).map(({ token }) => token)).size
        },
        { timeout: 30_000, interval: 300 },
      )
      .toBeGreaterThan(1)
    expect(shown.map(({ sub, isGood }) => `${sub} ${isGood}`)).toEqual(shown.map(() => 'ann-at-crm true'))
    expect(provider.asked.filter(path => path === 'POST /token').length).toBeGreaterThan(1)
    for (const { rawHeaders } of upstream.requests) expect(rawHeaders.join()).not.toMatch(/mgk_/)

    const listed = runCli(['credentials', 'list', '--json'], dir)
    expect(JSON.parse(listed.out)).toMatchObject({
      credentials: [{ server: 'crm', principal: 'ann', method: 'api-key', renewable: true, scopes: ['crm.read'] }],
    })
    const revoked = await runBeside(['credentials', 'revoke', 'ann'], dir)
    expect(revoked.code, revoked.err).toBe(0)
    expect(revoked.out).toContain('has revoked it')
    expect(provider.asked).toContain('POST /token/revocation')
    const isAsked = (): Promise<boolean> =>
      ann.callTool({ name: 'crm__echo' }).then(
        () => false,
        (error: { code?: number }) => error.code === -32042,
      )
    await expect.poll(isAsked, { timeout: 10_000 }).toBe(true)
    const calls = shown.length
    await linkOf(ann, 'crm__echo')
    expect(shown.length).toBe(calls)

    // He may change his mind.
    await authorise(world, product, await linkOf(ann, 'crm__echo'), 'ann-at-crm')
    expect(JSON.stringify(await ann.callTool({ name: 'crm__echo' }))).toContain('content')
    await product.stop()
    const records = readRecords(dir).filter(({ type }) => type.startsWith('credential.'))
    expect(records.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['credential.authorized', 'credential.renewed', 'credential.revoked']),
    )
    const told = JSON.stringify([records, product.said(), listed, revoked])
    for (const { token } of shown) expect(told).not.toContain(token)
    expect(told).not.toContain(SECRET)
  }, 120_000)

  test.skipIf(database === undefined)(
    'authorises one gateway, and another with the same database and key needs not ask; revoked, it ends on both',
    async () => {
      const world = await startWorld(opened)
      const url = await createDatabase()
      const [dir, second] = [createFolder(), createFolder()]
      const keys = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
      const annKey = createKey(dir, 'ann')
      const config = { ...world.configOf({ url }, keys), plugins: [{ auth: { keys } }] }
      const one = await startProduct({ dir, config })
      const ann = await connect(opened, one, annKey)
      await authorise(world, one, await linkOf(ann), 'ann-at-crm')
      mkdirSync(join(second, '.mcpgw'), { mode: 0o700 })
      copyFileSync(join(dir, '.mcpgw/credentials.key'), join(second, '.mcpgw/credentials.key'))
      const two = await startProduct({ dir: second, config })
      const there = await connect(opened, two, annKey)
      for (const client of [ann, there]) expect(JSON.stringify(await client.callTool({ name: 'crm__echo' }))).toContain('content')
      expect(new Set(world.shown.map(({ sub, isGood }) => `${sub} ${isGood}`))).toEqual(new Set(['ann-at-crm true']))
      expect((await runBeside(['credentials', 'revoke', '--server', 'crm'], second)).code).toBe(0)
      for (const client of [ann, there])
        await expect
          .poll(
            () =>
              client.callTool({ name: 'crm__echo' }).then(
                () => 0,
                (error: { code?: number }) => error.code,
              ),
            { timeout: 10_000 },
          )
          .toBe(-32042)
    },
    120_000,
  )
})
