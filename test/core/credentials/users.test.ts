// Tokens of users over time: refreshed once whoever asks, good for one principal, given up where they are taken back.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { holdUserTokens } from '../../../core/credentials/personal.ts'
import { createUserTokens, hasUserTokens } from '../../../core/credentials/user-tokens.ts'
import type { Person } from '../../../core/plugin/index.ts'
import { createStores } from '../../../core/store/index.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { createLogBook, createManualClock } from '../upstream/manual-clock.ts'
import { openInstance } from './instance.ts'
import { startUserAuthority, firstToken as token, type UserAuthority } from './user-setting.ts'

const opened = closeAfterEach()
const clock = createManualClock()
const { log } = createLogBook()

const instance = (from: UserAuthority, dir: string) => openInstance(opened, from, { dir, clock, log })

function dataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-users-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

it('a token is good for the principal who gave it, on every instance and after a restart, and for nobody else', async () => {
  const from = await startUserAuthority(opened)
  const dir = dataDir()
  const one = instance(from, dir)
  await one.users.take('t\0ann', token(from, 'ann'))
  for (const there of [one, instance(from, dir)]) {
    expect(await there.of('t\0ann').obtain()).toBe('first-access-of-ann')
    for (const other of ['t\0bob', 'u\0ann', 't', '', 't\0ann\0', 'T\0ann'])
      await expect(there.of(other).obtain()).rejects.toMatchObject({ fault: { code: 'upstream-credential' } })
    expect(there.failed).toEqual([])
  }
  expect(from.authority.asked).toEqual([])
})

it('a token that ends is refreshed once for all who wait, and the new refresh token is the one that is used next', async () => {
  const from = await startUserAuthority(opened)
  const dir = dataDir()
  const one = instance(from, dir)
  await one.users.take('t\0ann', token(from, 'ann', 60_000))
  for (let round = 0; round < 3; round++) {
    clock.advance(3_600_000)
    const got = await Promise.all(Array.from({ length: 20 }, () => one.of('t\0ann').obtain()))
    expect(new Set(got).size).toBe(1)
    expect(from.issued.get(got[0]!)).toBe('ann')
  }
  expect([from.authority.asked.length, from.reused]).toEqual([3, []])
})

it('of two instances that refresh at once one is too late with a token that is good once, and shows what the other one got', async () => {
  const from = await startUserAuthority(opened)
  const dir = dataDir()
  const [one, two] = [instance(from, dir), instance(from, dir)]
  await one.users.take('t\0ann', token(from, 'ann', 60_000))
  expect(await two.of('t\0ann').obtain()).toBe('first-access-of-ann')
  clock.advance(3_600_000)
  const waiting: (() => void)[] = []
  // Both requests are at the endpoint before either is answered.
  from.authority.before = () =>
    new Promise(resolve => {
      waiting.push(resolve)
      if (waiting.length === 2) {
        waiting[0]!()
        setTimeout(waiting[1]!, 100)
      }
    })
  const [mine, its] = await Promise.all([one.of('t\0ann').obtain(), two.of('t\0ann').obtain()])
  expect([mine === its, from.issued.get(mine!), from.reused.length]).toEqual([true, 'ann', 1])
  expect([...one.failed, ...two.failed]).toEqual([])
})

it('a refresh token that is refused is dropped, and the user has to be asked again; one that meets a broken endpoint is kept', async () => {
  const from = await startUserAuthority(opened)
  const one = instance(from, dataDir())
  await one.users.take('t\0ann', token(from, 'ann', 60_000))
  clock.advance(3_600_000)
  from.authority.intercept = (_asked, response) => !!response.writeHead(503).end()
  await expect(one.of('t\0ann').obtain()).rejects.toMatchObject({ fault: { code: 'upstream-credential' } })
  expect((await one.tokens.find('crm', 't\0ann'))?.refresh).toBe('first-refresh-of-ann')
  from.authority.intercept = undefined
  from.refreshes.clear()
  clock.advance(120_000)
  await expect(one.of('t\0ann').obtain()).rejects.toMatchObject({ fault: { detail: expect.stringContaining('invalid_grant') } })
  expect(await one.tokens.find('crm', 't\0ann')).toBeUndefined()
})

it('a row that was moved to somebody else, or sealed under another key, is nobody’s', async () => {
  const dir = dataDir()
  const stores = createStores({ dataDir: dir, log })
  const tokens = createUserTokens(stores)
  await tokens.keep('crm', 't\0ann', { access: 'a-token-of-ann', goodUntil: 1 })
  await tokens.keep('crm', 't\0bob', { access: 'a-token-of-bob', goodUntil: 1 })
  const database = stores.open('credentials.db')
  const rows = database.prepare('SELECT id, sealed FROM user_tokens ORDER BY rowid').all()
  database.prepare('UPDATE user_tokens SET sealed = ? WHERE id = ?').run(rows[0]!.sealed!, rows[1]!.id!)
  expect([(await tokens.find('crm', 't\0ann'))?.access, await tokens.find('crm', 't\0bob')]).toEqual(['a-token-of-ann', undefined])
  expect(await tokens.find('other', 't\0ann')).toBeUndefined()
  await tokens.close()
  rmSync(join(dir, 'credentials.key'))
  expect(await tokens.find('crm', 't\0ann')).toBeUndefined()
  await tokens.close()
  database.close()
})

it('what somebody has given is told and erased for that person alone, in one tenant or in all; nothing of it is left in the file', async () => {
  const dir = dataDir()
  const stores = createStores({ dataDir: dir, log })
  expect(await hasUserTokens(stores)).toBe(false)
  const holder = holdUserTokens(stores)
  const person = (id: string, tenant?: string): Person => ({ id, tenant, subjects: [] })
  // None is made for the question.
  expect([await holder.export(person('ann')), await holder.erase(person('ann')), await hasUserTokens(stores)]).toEqual([
    undefined,
    { entries: 0 },
    false,
  ])
  const tokens = createUserTokens(stores)
  const owners = ['t\0ann', 'u\0ann', 't\0bob', 't\0anna']
  for (const owner of owners)
    for (const server of ['crm', 'docs']) await tokens.keep(server, owner, { access: `of-${owner}`, goodUntil: 1 })
  expect(await holder.export(person('ann', 't'))).toEqual({
    tokens: [
      { tenant: 't', server: 'crm' },
      { tenant: 't', server: 'docs' },
    ],
  })
  expect(await holder.erase(person('ann', 't'))).toMatchObject({ entries: 2, left: expect.any(String) })
  expect(await Promise.all(owners.map(async owner => (await tokens.find('crm', owner))?.access))).toEqual([
    undefined,
    'of-u\0ann',
    'of-t\0bob',
    'of-t\0anna',
  ])
  expect(await holder.erase(person('ann'))).toMatchObject({ entries: 2 })
  expect(await holder.erase(person('ann'))).toEqual({ entries: 0 })
  expect(await holder.export(person('ann'))).toBeUndefined()
  expect((await tokens.find('docs', 't\0anna'))?.access).toBe('of-t\0anna')
  await tokens.close()
})
