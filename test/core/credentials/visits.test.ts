// Visits that are under way: bounded, good once and for a time, whoever keeps them; in a database sealed, and good at every gateway of it.
import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority } from '../../../core/credentials/authority.ts'
import { type Asker, type Authorizations, createAuthorizations } from '../../../core/credentials/authorizations.ts'
import { tables } from '../../../core/credentials/shared-shelf.ts'
import { createUserTokens, type UserTokens } from '../../../core/credentials/user-tokens.ts'
import { createVisits, type Visit, type Visits } from '../../../core/credentials/visits.ts'
import { createOutgoing } from '../../../core/outgoing/outgoing.ts'
import type { Postgres } from '../../../core/plugin/index.ts'
import { openPostgres } from '../../../core/store/postgres/index.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { createLogBook, createManualClock, realClock } from '../upstream/manual-clock.ts'
import { GATEWAY, startUserAuthority, type UserAuthority } from './user-setting.ts'

const opened = closeAfterEach()
const { log } = createLogBook()
const KEY = randomBytes(32)
const ANN = 'acme\0ann\0api-key\0'
let serial = 0
const visitOf = (owner: string, at = 'crm'): Visit => ({ id: `visit-${++serial}`, server: at, owner, principal: 'ann', mark: 'mark' })

/** What one gateway of the database has. */
function openTokens(url: string): UserTokens {
  const none = (): never => {
    throw new Error('not needed')
  }
  return opened(
    createUserTokens({ open: none, key: () => KEY, resolve: name => `/nowhere/${name}`, postgres: (): Postgres => openPostgres(url) }),
  )
}

interface Place {
  readonly one: Visits
  readonly two: Visits
  /** As many as are begun by others. */
  fill(count: number): Promise<void>
  /** So much later. */
  later(ms: number): Promise<void>
}

const places: readonly [string, boolean, () => Promise<Place>][] = [
  [
    'in memory',
    true,
    async () => {
      const clock = createManualClock()
      const visits = createVisits(clock)
      const fill = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at++) await visits.begin(visitOf(`acme\0user-${at}\0api-key\0`))
      }
      return { one: visits, two: visits, fill, later: async ms => clock.advance(ms) }
    },
  ],
  [
    'in a database, at two gateways',
    server !== undefined,
    async () => {
      const url = await createDatabase()
      const [one, two] = [await openTokens(url).visits(), await openTokens(url).visits()]
      const later = async (ms: number): Promise<void> =>
        void (await sql(`UPDATE mcpgw_credentials.visit SET until = until - $1 * interval '1 ms'`, url, [ms]))
      const fill = async (count: number): Promise<void> =>
        void (await sql(
          `INSERT INTO mcpgw_credentials.visit (id, visitor, until, sealed)
           SELECT 'row ' || n, 'visitor ' || n, now() + interval '10 min', '' FROM generate_series(1, $1::int) AS n`,
          url,
          [count],
        ))
      return { one: one!, two: two!, fill, later }
    },
  ],
]

describe.each(places.filter(([, isThere]) => isThere))('a visit %s', (_name, _isThere, open) => {
  it('goes on from what was found, once, whoever is first, and is taken once', async () => {
    const { one, two } = await open()
    const visit = visitOf(ANN)
    expect(await one.begin(visit)).toBe(true)
    const [here, there] = [(await one.find(visit.id))!, (await two.find(visit.id))!]
    expect([here, there]).toEqual([visit, visit])
    const changes = await Promise.all([
      one.change(here, { ...here, cookie: 'of one browser' }),
      two.change(there, { ...there, cookie: 'of another' }),
    ])
    expect(changes.filter(Boolean).length).toBe(1)
    const { cookie } = (await two.find(visit.id))!
    expect(cookie).toBe(changes[0] ? 'of one browser' : 'of another')
    // What is not as it was found is not taken either.
    expect(await one.take(changes[0] ? there : here)).toBe(false)
    const found = [(await one.find(visit.id))!, (await two.find(visit.id))!] as const
    const taken = await Promise.all([one.take(found[0]), two.take(found[1])])
    expect(taken.filter(Boolean).length).toBe(1)
    expect(await one.find(visit.id)).toBeUndefined()
    expect(await two.change(found[1], visit)).toBe(false)
  })

  it('ends after ten minutes', async () => {
    const { one, two, later } = await open()
    const visit = visitOf(ANN)
    await one.begin(visit)
    await later(590_000)
    expect(await two.find(visit.id)).toEqual(visit)
    await later(11_000)
    expect([await one.find(visit.id), await two.find(visit.id)]).toEqual([undefined, undefined])
  })

  it('is one of ten of its user and server: the oldest makes room, and those of others stay', async () => {
    const { one, two } = await open()
    const others = [visitOf('other\0ann\0api-key\0'), visitOf('acme\0bob\0api-key\0'), visitOf(ANN, 'docs')]
    for (const other of others) await one.begin(other)
    const own = Array.from({ length: 12 }, () => visitOf(ANN))
    for (const [at, visit] of own.entries()) expect(await (at % 2 === 0 ? one : two).begin(visit)).toBe(true)
    const isThere = (visits: readonly Visit[]) => Promise.all(visits.map(async ({ id }) => (await two.find(id)) !== undefined))
    expect(await isThere(own)).toEqual(own.map((_, at) => at >= 2))
    expect(await isThere(others)).toEqual([true, true, true])
  })

  it('finds no room beside ten thousand, though many begin at once, until they have ended', async () => {
    const { one, two, fill, later } = await open()
    await fill(9995)
    const many = Array.from({ length: 10 }, (_, at) => visitOf(`acme\0late-${at}\0api-key\0`))
    const begun = await Promise.all(many.map(async (visit, at) => (at % 2 === 0 ? one : two).begin(visit)))
    expect(begun.filter(Boolean).length).toBe(5)
    const found = await Promise.all(many.map(async ({ id }) => two.find(id)))
    expect(found.map(visit => visit !== undefined)).toEqual(begun)
    await later(601_000)
    expect(await one.begin(visitOf(ANN))).toBe(true)
  })
})

describe.skipIf(server === undefined)('in a database', () => {
  let url: string
  beforeAll(async () => {
    url = await createDatabase()
  })
  const rows = () => sql('SELECT id, visitor, sealed FROM mcpgw_credentials.visit', url)

  it('nothing of a visit stands there as it is, and a row that lies in the place of another is none', async () => {
    const visits = (await openTokens(url).visits())!
    const [mine, other] = [{ ...visitOf(ANN), word: 'a-word-of-the-page' }, visitOf('acme\0bob\0api-key\0')]
    for (const visit of [mine, other]) await visits.begin(visit)
    const bytes = (await rows())
      .map(({ id, visitor, sealed }) => `${String(id)} ${String(visitor)} ${(sealed as Buffer).toString('latin1')}`)
      .join()
    for (const secret of [mine.id, other.id, 'ann', 'bob', 'acme', 'crm', 'a-word']) expect(bytes).not.toContain(secret)
    await sql('UPDATE mcpgw_credentials.visit SET sealed = (SELECT sealed FROM mcpgw_credentials.visit ORDER BY begun LIMIT 1)', url)
    expect([await visits.find(mine.id), await visits.find(other.id)]).toEqual([mine, undefined])
  })

  it('tables of the version before are brought up, and what lies in them stays', async () => {
    const older = await createDatabase()
    await sql((tables.steps as readonly string[])[0]!, older)
    await sql(`INSERT INTO mcpgw_credentials.user_token VALUES ('one', 'sealed')`, older)
    const visits = (await openTokens(older).visits())!
    const visit = visitOf(ANN)
    await visits.begin(visit)
    expect(await visits.find(visit.id)).toEqual(visit)
    expect((await sql('SELECT id FROM mcpgw_credentials.user_token', older)).map(({ id }) => id)).toEqual(['one'])
  })

  it('those that have ended are removed, also where nobody begins one', async () => {
    const tokens = openTokens(url)
    await (await tokens.visits())!.begin(visitOf(ANN))
    await sql("UPDATE mcpgw_credentials.visit SET until = now() - interval '1 s'", url)
    const late = visitOf(ANN)
    await tokens.clearVisits()
    expect(await rows()).toEqual([])
    await (await tokens.visits())!.begin(late)
    await tokens.clearVisits()
    expect((await rows()).length).toBe(1)
  })

  it('of a person who is erased none is left, and those of his name in another tenant stay', async () => {
    const tokens = openTokens(url)
    const visits = (await tokens.visits())!
    const [own, other] = [visitOf(ANN), visitOf('other\0ann\0api-key\0')]
    for (const visit of [own, other]) await visits.begin(visit)
    expect(await tokens.erase({ id: 'ann', tenant: 'acme' })).toBe(0)
    expect([await visits.find(own.id), await visits.find(other.id)]).toEqual([undefined, other])
  })

  it('a visit goes on at a gateway that has the server by the same client alone, and ends where that issuer answers', async () => {
    const from = await startUserAuthority(opened)
    const { authorizations: first } = openGateway(from)
    const { authorizations: same, kept } = openGateway(from)
    const others = [{ url: 'https://other.example/mcp' }, { clientId: 'another' }, { scopes: ['crm.write'] }, { issuer: undefined }]
    const { id } = (await first.invite('crm', ANN, 'ann'))!
    for (const other of others) expect((await openGateway(from, other).authorizations.show(id)).kind).toBe('refused')
    const shown = await same.show(id)
    if (shown.kind !== 'confirm') throw new Error('not shown')
    expect(shown.about).toEqual({ server: 'crm', principal: 'ann', host: new URL(from.authority.url).host })
    for (const other of others)
      expect((await openGateway(from, other).authorizations.confirm(id, shown.word, shown.cookie)).kind).toBe('refused')
    const left = await first.confirm(id, shown.word, shown.cookie)
    if (left.kind !== 'leave') throw new Error('not left')
    const back = new URL(from.allow(left.url, 'ann at crm')).searchParams
    for (const other of others) expect((await openGateway(from, other).authorizations.back(back, shown.cookie)).kind).toBe('refused')
    expect((await same.back(back, 'another cookie')).kind).toBe('refused')
    expect(from.authority.asked).toEqual([])
    const ends = await Promise.all([first.back(back, shown.cookie), same.back(back, shown.cookie)])
    expect(ends.map(({ kind }) => kind).toSorted()).toEqual(['done', 'refused'])
    expect([from.authority.asked.length, kept.every(owner => owner === ANN)]).toEqual([1, true])
  })

  it('while the database is gone nobody is invited, a page says so, and the visit goes on afterwards', async () => {
    const from = await startUserAuthority(opened)
    let isGone = false
    const { authorizations } = openGateway(from, {}, () => isGone)
    const { id } = (await authorizations.invite('crm', ANN, 'ann'))!
    isGone = true
    expect(await authorizations.invite('crm', ANN, 'ann')).toBeUndefined()
    expect(await authorizations.show(id)).toEqual({ kind: 'refused', why: expect.stringContaining('in a little while') as string })
    isGone = false
    expect((await authorizations.show(id)).kind).toBe('confirm')
  })

  /** `other`: what its config says otherwise; `issuer: undefined`: another one. */
  function openGateway(
    { authority }: UserAuthority,
    { url: at = 'https://crm.example/mcp', ...other }: { url?: string; clientId?: string; scopes?: string[]; issuer?: undefined } = {},
    isGone: () => boolean = () => false,
  ): { readonly authorizations: Authorizations; readonly kept: string[] } {
    const issuer = 'issuer' in other ? 'https://login.other.example' : authority.url
    const client = { clientId: 'mcpgw', clientSecret: 'client secret+/=%', gateway: GATEWAY, scopes: ['crm.read'], ...other, issuer }
    const outgoing = opened(createOutgoing())
    const kept: string[] = []
    const asker: Asker = {
      client,
      url: at,
      outgoing,
      clock: realClock,
      authority: createAuthority(client, outgoing, realClock),
      isAway: () => false,
      take: async owner => void kept.push(owner),
      failed() {},
    }
    const tokens = openTokens(url)
    const shared = async (): Promise<Visits | undefined> => {
      if (isGone()) throw new Error('gone')
      return tokens.visits()
    }
    const askers = new Map([['crm', asker]])
    return { authorizations: createAuthorizations({ askers, clock: realClock, log, shared, invited() {} }), kept }
  }
})
