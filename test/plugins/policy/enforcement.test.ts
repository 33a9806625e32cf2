// What the plugin does with a decision, through the real pipeline: allow, deny, what is recorded, what is only observed, and what came before.

import type { Facts } from 'mcpgw/policy'
import { createTemporaryStores, type Harness, harness, type TemporaryStores } from 'mcpgw/testing'
import { afterEach, expect, test } from 'vitest'
import { DecisionBasis, definePlugin, type Exchange, pass } from '../../../core/plugin/index.ts'
import { config } from '../../../plugins/policy/config.ts'
import { setUp } from '../../../plugins/policy/setup.ts'
import { allowedBy, compiling, denied, type FakeRules } from './fake-bundle.ts'

const worlds: Harness[] = []
const stores: TemporaryStores[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
  for (const one of stores.splice(0)) one.remove()
})

const ann = { id: 'ann', roles: ['support'], tenant: 'acme', claims: { level: 3 }, via: { method: 'test' } }
const bob = { ...ann, id: 'bob' }

async function start(rules: FakeRules, options: object = {}, at?: TemporaryStores, others: Parameters<typeof harness>[0]['plugins'] = []) {
  const place = at ?? createTemporaryStores()
  if (at === undefined) stores.push(place)
  const policy = definePlugin({
    name: 'policy',
    apiVersion: 1,
    config,
    capabilities: ['decides', 'narrows-list'],
    provides: [DecisionBasis],
    setup: ctx => setUp(ctx, compiling(rules)),
  })
  const world = await harness({ plugins: [{ plugin: policy, config: options }, ...others], stores: place })
  worlds.push(world)
  return world
}

test('facts are those of the exchange, arguments among them only where they are asked for', async () => {
  const seen: Facts[] = []
  const world = await start({
    decide(facts) {
      seen.push(facts)
      return allowedBy('one')
    },
  })
  await world.call('crm', 'get', { n: 1, big: 2 ** 53, constructor: 'x' }, { principal: ann, ip: '10.0.0.7' })
  const [facts] = seen
  expect(facts).toMatchObject({ action: 'call', server: 'crm', name: 'get', request: { ip: '10.0.0.7', transport: 'http' } })
  expect(facts!.principal).toEqual({ id: 'ann', roles: ['support'], tenant: 'acme', claims: new Map([['level', 3n]]) })
  expect(facts!.args).toEqual(
    new Map<string, unknown>([
      ['n', 1n],
      ['big', 2n ** 53n],
      ['constructor', 'x'],
    ]),
  )
  expect(facts!.history).toBeUndefined()
  await world.send('resources/read', { kind: 'read', server: 'docs', uri: 'file:///a' })
  expect(seen[1]).toMatchObject({ action: 'read', name: 'file:///a', principal: { id: '', roles: [] } })
  expect(seen[1]!.args).toBeUndefined()
})

test('an allow is recorded with its rules, where they stand, and the bundle', async () => {
  const world = await start({ decide: () => ({ ...allowedBy('one'), shadow: [{ rule: 'try', effect: 'deny' }] }) })
  const { exchange } = await world.call('crm', 'get', {}, { principal: ann })
  expect(exchange.decision).toMatchObject({ outcome: 'allow', by: ['policy/one'] })
  expect(exchange.notes.get('policy.decision')).toEqual({
    outcome: 'allow',
    rules: [{ rule: 'one', at: 'a.policy:3' }],
    shadow: [{ rule: 'try', effect: 'deny' }],
    bundle: 'sha256:test',
    micros: expect.any(Number),
  })
})

test('the agent is told the reason of the rule, or a generic text, never the rule', async () => {
  let decision = { ...denied, by: ['secret-rule'], because: 'ask your lead' } as typeof denied
  const world = await start({ decide: () => decision })
  const first = await world.call('crm', 'get')
  expect(first.refusal).toMatchObject({ code: 'denied', reason: 'ask your lead', by: ['policy/secret-rule'] })
  decision = denied
  const second = await world.call('crm', 'get')
  expect(second.refusal).toMatchObject({ code: 'denied', reason: 'no policy allows this', by: ['policy/default'] })
  expect(world.upstream.received).toEqual([])
})

test('in observe mode everything goes through and lists stay whole, and what would have been denied is noted', async () => {
  const world = await start({ decide: () => denied, narrow: () => 'hide', after: ['call crm/get'] }, { mode: 'observe' })
  const { exchange, outcome } = await world.call('crm', 'get', {}, { principal: ann })
  expect(outcome.kind).toBe('answered')
  expect(exchange.notes.get('policy.decision')).toMatchObject({ outcome: 'deny', would: 'deny' })
  expect(world.kernel.health.view().components.find(one => one.name === 'policy')?.why).toContain('observe')
  expect(world.log.some(({ level, message }) => level === 'warn' && message.includes('observe'))).toBe(true)
  const keep = await world.kernel.pipeline.narrow(exchange, [{ server: 'crm', name: 'get', definition: exchange.args }])
  expect(keep).toEqual([true])
})

test('with no files everything is denied, and health says so', async () => {
  const world = await start({ decide: () => denied })
  expect((await world.call('a', 'b')).refusal?.code).toBe('denied')
})

const after = ['call vault/read']
/** Nobody may post within a minute after reading the vault. */
const noExfil: FakeRules = {
  after,
  decide({ name, history, request }) {
    if (name !== 'post') return allowedBy('one')
    try {
      const at = history!.lastMatch({ action: 'call', text: after[0]!, matches: () => true }, request.time.getTime() - 60_000)
      return at === undefined ? allowedBy('one') : { ...denied, by: ['no-exfil'] }
    } catch {
      return { ...denied, by: ['no-exfil'] }
    }
  },
}

test('what a caller has done counts for him, on every connection, for as long as the rule says', async () => {
  const world = await start(noExfil)
  const post = async (principal = ann) => (await world.call('slack', 'post', {}, { principal })).outcome.kind
  expect(await post()).toBe('answered')
  await world.call('vault', 'read', {}, { principal: ann })
  expect([await post(), await post(bob), await post({ ...ann, tenant: 'other' })]).toEqual(['denied', 'answered', 'answered'])
  await world.clock.advance(60_000)
  expect(await post()).toBe('denied')
  await world.clock.advance(1)
  expect(await post()).toBe('answered')
})

test('what was done before a restart still counts', async () => {
  const place = createTemporaryStores()
  stores.push(place)
  const first = await start(noExfil, {}, place)
  await first.call('vault', 'read', {}, { principal: ann })
  await first.stop()
  const second = await start(noExfil, {}, place)
  expect((await second.call('slack', 'post', {}, { principal: ann })).outcome.kind).toBe('denied')
})

test('what was denied has not been done', async () => {
  const refusing = definePlugin({
    name: 'late',
    apiVersion: 1,
    config: { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: {} }) } },
    capabilities: [],
    setup: () => ({
      onSealed: (x: Exchange) =>
        x.resource.kind === 'call' && x.resource.server === 'vault' ? { kind: 'deny', code: 'denied', reason: 'no' } : pass,
    }),
  })
  const world = await start(noExfil, {}, undefined, [refusing])
  expect((await world.call('vault', 'read', {}, { principal: ann })).outcome.kind).toBe('denied')
  expect((await world.call('slack', 'post', {}, { principal: ann })).outcome.kind).toBe('answered')
})

test('of two at once the second is decided again where the first is sealed before it', async () => {
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const slow = definePlugin({
    name: 'slow',
    apiVersion: 1,
    config: { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: {} }) } },
    capabilities: [],
    setup: () => ({
      onRequest: (x: Exchange) => (x.resource.kind === 'call' && x.resource.tool === 'post' ? held.then(() => pass) : pass),
    }),
  })
  const world = await start(noExfil, {}, undefined, [slow])
  const posting = world.call('slack', 'post', {}, { principal: ann })
  expect((await world.call('vault', 'read', {}, { principal: ann })).outcome.kind).toBe('answered')
  release()
  expect((await posting).outcome.kind).toBe('denied')
})
