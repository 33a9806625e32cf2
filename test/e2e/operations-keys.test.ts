// Keys, asked for through the gateway itself: made, replaced and ended within one's own tenant, and a new key is nowhere but in its answer.
import { execFileSync } from 'node:child_process'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { startOperations } from './operations-world.ts'
import { isBuilt } from './product.ts'
import { readRecords } from './records.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

/** All that keeps or shows what passes, at its most talkative. */
const PLUGINS = [
  { audit: { durability: 'os', content: 'full' } },
  'auth',
  'policy',
  { redact: { patterns: [{ name: 'our-key', pattern: 'mgk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}' }] } },
  { cache: { rules: [{ tools: '*/*', ttl: '10m', scope: 'rights' }] } },
]

describe.skipIf(!isBuilt)('keys, asked for through the gateway', { timeout: 60_000 }, () => {
  test('a new key holds at once, is on record without itself, and is nowhere but in its answer', async () => {
    const { dir, product, callers, callerOf } = await startOperations({ plugins: PLUGINS, more: { log: 'debug' } })
    const { admin } = callers
    const wish = { name: 'For a bot', principal: 'bot-2', roles: ['agent'], expires: '1h' }
    const first = await admin.ask('POST', '/keys', wish)
    expect(first).toMatchObject({ status: 200, body: { principal: 'bot-2', roles: ['agent'], tenant: 'acme', claims: {} } })
    const second = (await admin.call('gateway__keys_create', wish)).structuredContent
    const turned = await admin.ask('POST', `/keys/${second.id}/rotate`, { overlap: '0' })
    expect(turned).toMatchObject({ status: 200, body: { replaces: second.id, principal: 'bot-2' } })
    const keys = [first.body.key, second.key, turned.body.key] as string[]
    expect(new Set(keys).size).toBe(3)
    expect(await callerOf(first.body.key).call('odd__echo', { text: 'x' })).toMatchObject({ content: expect.any(Array) })
    expect((await callerOf(turned.body.key).ask('GET', '/tools')).status).toBe(200)
    expect((await callerOf(second.key).ask('GET', '/tools')).status).toBe(401)
    await admin.call('gateway__call', { tool: 'gateway__keys_create', arguments: wish })
    // A key that ends its own request would leave a new one that nobody has seen.
    expect(await admin.ask('POST', `/keys/${admin.key.slice(4, 12)}/rotate`, { overlap: '0' })).toMatchObject({
      status: 409,
      body: { error: { field: 'overlap' } },
    })

    const records = readRecords(dir)
    const told = records.filter(({ type, tenant }) => type.startsWith('key.') && tenant === 'acme')
    expect(told.map(({ type, actor, detail }) => [type, actor?.id, detail?.key])).toEqual([
      ['key.create', 'ada', first.body.id],
      ['key.create', 'ada', second.id],
      ['key.create', 'ada', turned.body.id],
      ['key.rotate', 'ada', second.id],
    ])
    const outcomes = records.filter(({ type, tool }) => type === 'outcome' && /^keys_(create|rotate)$/.test(tool ?? ''))
    expect(outcomes.map(one => 'result' in one)).toEqual(outcomes.map(() => false))
    await product.stop()
    for (const key of keys) {
      const secret = key.slice(13)
      expect(product.said() + product.wrote() + JSON.stringify(records)).not.toContain(secret)
      expect(execFileSync('sh', ['-c', `grep -rlaF -- "$1" "$2" || true`, 'sh', secret, dir], { encoding: 'utf8' })).toBe('')
    }
  })

  test('of another tenant are as those that there are not; operators have all', async () => {
    const { callers } = await startOperations()
    const { admin, other, ops } = callers
    const idOf = ({ key }: { key: string }): string => key.slice(4, 12)
    const tenantsIn = async (who: typeof admin): Promise<string[]> => [
      ...new Set<string>((await who.ask('GET', '/keys')).body.keys.map(({ tenant }: Any) => tenant)),
    ]
    expect(await tenantsIn(admin)).toEqual(['acme'])
    const document = (await admin.ask('GET', '/openapi.json')).body
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/audit/log', '/keys', '/keys/{id}', '/keys/{id}/rotate']))
    expect(await new Validator().validate(document)).toMatchObject({ valid: true })
    expect((await tenantsIn(ops)).toSorted()).toEqual(['acme', 'globex', 'platform'])
    for (const [method, more, body] of [
      ['DELETE', '', undefined],
      ['POST', '/rotate', {}],
    ] as const) {
      const theirs = await other.ask(method, `/keys/${idOf(admin)}${more}`, body)
      expect(theirs).toEqual(await other.ask(method, `/keys/aaaaaaaa${more}`, body))
      expect(theirs).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
    }
    expect((await admin.ask('GET', '/tools')).status).toBe(200)
    expect(await other.ask('POST', '/keys', { name: 'x', principal: 'x', tenant: 'acme' })).toMatchObject({
      status: 400,
      body: { error: { field: 'tenant' } },
    })
    const page = await ops.ask('GET', '/keys?limit=2')
    const rest = await ops.ask('GET', `/keys?limit=2&after=${page.body.next}`)
    expect([...page.body.keys, ...rest.body.keys].map(({ id }) => id)).toEqual([admin, other, callers.agent, ops].map(idOf).toSorted())
    expect(rest.body.next).toBeUndefined()
    expect((await ops.ask('DELETE', `/keys/${idOf(callers.agent)}`)).body).toEqual({ id: idOf(callers.agent), outcome: 'revoked' })
    expect((await callers.agent.ask('GET', '/tools')).status).toBe(401)
    expect((await ops.ask('DELETE', `/keys/${idOf(callers.agent)}`)).body.outcome).toBe('already-revoked')
    expect((await ops.ask('POST', `/keys/${idOf(callers.agent)}/rotate`, {})).status).toBe(409)
  })

  test('give nobody roles, claims or a rate that whoever makes them does not have', async () => {
    const { callers, callerOf } = await startOperations({ plugins: [{ audit: { durability: 'os' } }, 'auth', 'ratelimit', 'policy'] })
    const { admin, ops } = callers
    const wish = { name: 'x', principal: 'boss' }
    expect(await admin.ask('POST', '/keys', { ...wish, roles: ['agent', 'owner'] })).toMatchObject({
      status: 400,
      body: { error: { field: 'roles' } },
    })
    expect(await admin.ask('POST', '/keys', { ...wish, claims: { vip: true } })).toMatchObject({
      status: 400,
      body: { error: { field: 'claims' } },
    })
    const owner = await ops.ask('POST', '/keys', { ...wish, roles: ['owner'], tenant: 'acme' })
    const vip = await ops.ask('POST', '/keys', { ...wish, claims: { vip: true }, tenant: 'acme' })
    for (const { body } of [owner, vip]) {
      expect(await admin.ask('POST', `/keys/${body.id}/rotate`, {})).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } })
      expect((await callerOf(body.key).ask('GET', '/tools')).status).toBe(200)
    }
    expect(await admin.ask('POST', '/keys', { ...wish, roles: ['a,b'] })).toMatchObject({ status: 400 })
    const made = await ops.ask('POST', '/keys', { ...wish, roles: ['admin'], tenant: 'acme', rate: '100/min' })
    const limited = callerOf(made.body.key)
    expect(await limited.ask('POST', '/keys', { ...wish, rate: '1000/s' })).toMatchObject({
      status: 400,
      body: { error: { field: 'rate' } },
    })
    expect(await limited.ask('POST', '/keys', wish)).toMatchObject({ status: 200, body: { rate: '100/min' } })
    const unlimited = await ops.ask('POST', '/keys', { ...wish, roles: ['admin'], tenant: 'acme' })
    expect((await limited.ask('POST', `/keys/${unlimited.body.id}/rotate`, {})).status).toBe(409)
    expect(await limited.ask('POST', `/keys/${made.body.id}/rotate`, {})).toMatchObject({ status: 200, body: { rate: '100/min' } })
    expect(await callers.agent.ask('POST', '/keys', wish)).toMatchObject({ status: 404 })
  })
})
