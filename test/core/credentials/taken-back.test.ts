// What users have given and somebody takes back: no gateway uses it any longer, wherever it is kept, and nothing brings it back.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasUserTokens } from '../../../core/credentials/user-tokens.ts'
import { createStores } from '../../../core/store/index.ts'
import { type Cluster, startCluster } from '../../postgres/cluster.ts'
import { createDatabase, createRole, server, run as sql, withParts } from '../../postgres/server.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { createLogBook, createManualClock, realClock } from '../upstream/manual-clock.ts'
import { type InstanceOptions, openInstance } from './instance.ts'
import { firstToken, startUserAuthority, type UserAuthority } from './user-setting.ts'

const opened = closeAfterEach()
const { log } = createLogBook()
const ANN = 't\0ann'
const GONE = { fault: { code: 'upstream-credential' } }

function dataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-taken-back-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Two gateways that keep tokens in one place. */
type Pair = (from: UserAuthority, clock: InstanceOptions['clock']) => Promise<ReturnType<typeof openInstance>[]>

const inFile: Pair = async (from, clock) => {
  const dir = dataDir()
  return [1, 2].map(() => openInstance(opened, from, { dir, clock, log, watches: true }))
}

const inDatabase: Pair = async (from, clock) => {
  const url = await createDatabase()
  const dirs = [dataDir(), dataDir()] as const
  const first = openInstance(opened, from, { dir: dirs[0], clock, log, url, watches: true })
  await first.tokens.revision()
  copyFileSync(join(dirs[0], 'credentials.key'), join(dirs[1], 'credentials.key'))
  return [first, openInstance(opened, from, { dir: dirs[1], clock, log, url, watches: true })]
}

const places: [string, Pair, boolean][] = [
  ['a file', inFile, true],
  ['a database', inDatabase, server !== undefined],
]

describe.each(places.filter(([, , isThere]) => isThere))('in %s', (_, open) => {
  it('what is dropped is used no longer by any gateway, though each had it at hand; what others gave stays', async () => {
    const from = await startUserAuthority(opened)
    const gateways = await open(from, realClock)
    const [one, two] = gateways as [(typeof gateways)[0], (typeof gateways)[0]]
    await one.users.take(ANN, firstToken(from, 'ann'))
    await one.users.take('t\0bob', firstToken(from, 'bob'))
    for (const gateway of gateways) {
      expect(await gateway.of(ANN).obtain()).toBe('first-access-of-ann')
      expect(await gateway.of('t\0bob').obtain()).toBe('first-access-of-bob')
      expect(gateway.of(ANN).now()).toBe('first-access-of-ann')
    }
    expect(await two.tokens.drop('crm', ANN, (await two.tokens.find('crm', ANN))!)).toBe(true)
    for (const gateway of gateways) {
      await expect.poll(() => gateway.of(ANN).now()).toBeUndefined()
      await expect.poll(() => gateway.ended).toEqual([ANN])
      await expect(gateway.of(ANN).obtain()).rejects.toMatchObject(GONE)
      expect(gateway.changed).toEqual([ANN])
      expect(await gateway.of('t\0bob').obtain()).toBe('first-access-of-bob')
      expect([gateway.health.status, gateway.failed]).toEqual(['ok', []])
    }
    // Nobody went to the endpoint for it.
    expect(from.authority.asked).toEqual([])
    // He may give it again.
    await two.users.take(ANN, { ...firstToken(from, 'ann'), access: 'second-access-of-ann' })
    for (const gateway of gateways) expect(await gateway.of(ANN).obtain()).toBe('second-access-of-ann')
  })

  it('what is dropped while it is renewed stays dropped, and what came of it is given back to the issuer', async () => {
    const from = await startUserAuthority(opened)
    from.authority.metadata = { ...from.authority.metadata, revocation_endpoint: `${from.authority.url}/revoke` }
    const clock = createManualClock()
    const gateways = await open(from, clock)
    const [one, two] = gateways as [(typeof gateways)[0], (typeof gateways)[0]]
    await one.users.take(ANN, firstToken(from, 'ann', 60_000))
    clock.advance(3_600_000)
    from.authority.before = async () => {
      const kept = await two.tokens.find('crm', ANN)
      await two.tokens.drop('crm', ANN, kept!)
    }
    await expect(one.of(ANN).obtain()).rejects.toMatchObject(GONE)
    expect([await one.tokens.find('crm', ANN), await one.tokens.all()]).toEqual([undefined, []])
    await expect.poll(() => from.authority.revoked.map(({ hint }) => hint)).toEqual(['refresh_token', 'access_token'])
    expect(from.authority.revoked.map(({ token }) => token)).toEqual([[...from.refreshes.keys()].at(-1), [...from.issued.keys()].at(-1)])
  })

  it('since when it is there, and for what, is kept through renewals', async () => {
    const from = await startUserAuthority(opened)
    const clock = createManualClock()
    const [one] = await open(from, clock)
    const since = clock.now()
    await one!.users.take(ANN, firstToken(from, 'ann', 60_000))
    clock.advance(3_600_000)
    await one!.of(ANN).obtain()
    expect(await one!.tokens.find('crm', ANN)).toEqual({
      access: expect.stringContaining('access-token-of-user'),
      refresh: expect.stringContaining('refresh-token-of-user'),
      since,
      scope: 'crm.read',
      goodUntil: clock.now() + 3_600_000,
    })
  })
})

describe.skipIf(server === undefined)('in a database', () => {
  it('a gateway with another key uses nothing and says which file it needs; nothing is kept under two keys', async () => {
    const from = await startUserAuthority(opened)
    const url = await createDatabase()
    const one = openInstance(opened, from, { dir: dataDir(), clock: realClock, log, url })
    await one.users.take(ANN, firstToken(from, 'ann'))
    const dir = dataDir()
    const other = openInstance(opened, from, { dir, clock: realClock, log, url, watches: true })
    await expect.poll(() => other.health.view().components[0]?.why).toContain(join(dir, 'credentials.key'))
    await expect(other.of(ANN).obtain()).rejects.toMatchObject(GONE)
    await expect(other.users.take(ANN, firstToken(from, 'ann'))).rejects.toThrow('cannot be read now')
    expect((await one.tokens.all()).length).toBe(1)
  })

  it('what a gateway kept in its file before is taken over, once, and nothing of it is left there', async () => {
    const from = await startUserAuthority(opened)
    const dir = dataDir()
    const before = openInstance(opened, from, { dir, clock: realClock, log })
    await before.users.take(ANN, firstToken(from, 'ann'))
    await before.users.take('t\0bob', firstToken(from, 'bob'))
    await before.tokens.close()
    const url = await createDatabase()
    const open = () => openInstance(opened, from, { dir, clock: realClock, log, url })
    const first = open()
    expect(await first.of(ANN).obtain()).toBe('first-access-of-ann')
    expect(existsSync(join(dir, 'credentials.db'))).toBe(true)
    expect(createStores({ dataDir: dir, log }).open('credentials.db').prepare('SELECT * FROM user_tokens').all()).toEqual([])
    await first.tokens.drop('crm', ANN, (await first.tokens.find('crm', ANN))!)
    const again = open()
    expect((await again.tokens.all()).map(({ owner }) => owner)).toEqual(['t\0bob'])
  })

  it('neither tokens nor names stand there as they are, and nothing is made by the question whether there are any', async () => {
    const from = await startUserAuthority(opened)
    const url = await createDatabase()
    const dir = dataDir()
    expect(await hasUserTokens(createStores({ dataDir: dir, url }))).toBe(false)
    expect(await sql("SELECT 1 FROM pg_namespace WHERE nspname = 'mcpgw_credentials'", url)).toEqual([])
    const one = openInstance(opened, from, { dir, clock: realClock, log, url })
    await one.users.take('t\0ann-of-accounting', firstToken(from, 'ann'))
    const rows = await sql('SELECT id, sealed FROM mcpgw_credentials.user_token', url)
    expect(rows.length).toBe(1)
    const bytes = `${String(rows[0]!.id)}${(rows[0]!.sealed as Buffer).toString('latin1')}`
    for (const secret of ['first-access', 'first-refresh', 'accounting', 'crm']) expect(bytes).not.toContain(secret)
    expect(await hasUserTokens(createStores({ dataDir: dir, url }))).toBe(true)
  })

  it('a role that may not make the tables is told what makes them', async () => {
    const from = await startUserAuthority(opened)
    const database = await createDatabase()
    const user = await createRole(database)
    const url = withParts(database, { user, password: `password-of-${user}` })
    const one = openInstance(opened, from, { dir: dataDir(), clock: realClock, log, url, watches: true })
    await expect.poll(() => one.health.view().components[0]?.why).toContain('has no tables yet; the owner of the database')
    await expect(one.of(ANN).obtain()).rejects.toMatchObject(GONE)
  })

  it('while the database is gone nothing is used, whatever is at hand, and health says so; when it is back all goes on by itself', async () => {
    const cluster: Cluster = await startCluster()
    onTestFinished(() => cluster.remove())
    const from = await startUserAuthority(opened)
    const one = openInstance(opened, from, { dir: dataDir(), clock: realClock, log, url: cluster.url, watches: true })
    await one.users.take(ANN, firstToken(from, 'ann'))
    expect(await one.of(ANN).obtain()).toBe('first-access-of-ann')
    await cluster.kill()
    await expect.poll(() => one.health.status, { timeout: 10_000 }).toBe('degraded')
    expect(one.of(ANN).now()).toBeUndefined()
    await expect(one.of(ANN).obtain()).rejects.toMatchObject(GONE)
    await expect(one.users.take('t\0bob', firstToken(from, 'bob'))).rejects.toThrow('cannot be read now')
    await cluster.start()
    await expect.poll(() => one.health.status, { timeout: 10_000 }).toBe('ok')
    expect(await one.of(ANN).obtain()).toBe('first-access-of-ann')
    // Those who were told that there is none learn that there is.
    expect(one.changed).toEqual([ANN])
    expect([from.authority.asked, one.failed]).toEqual([[], []])
  }, 60_000)
})
