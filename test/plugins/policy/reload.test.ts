// Reload: a changed bundle takes effect whole, or the last good one stays in force; each time it is told, and no call is dropped.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { afterEach, expect, test } from 'vitest'
import { type AdminEvent, DecisionBasis, definePlugin, Recording } from '../../../core/plugin/index.ts'
import { type compileBundle, digestOf } from '../../../plugins/policy/bundle.ts'
import { lockText } from '../../../plugins/policy/catalog/lock-text.ts'
import { makeLock } from '../../../plugins/policy/catalog/make-lock.ts'
import { config } from '../../../plugins/policy/config.ts'
import { setUp } from '../../../plugins/policy/setup.ts'
import { allowedBy, compiling, denied } from './fake-bundle.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** `broken` is refused; every other text allows tools of its own first word. */
const compile: typeof compileBundle = (sources, context) => {
  const text = sources.map(one => one.text).join(' ')
  const digest = digestOf(sources)
  if (text.includes('broken')) return { findings: ['a.policy:1:1: error[syntax]: expected a policy, found `broken`'], digest }
  const tool = text.trim().split(/\s+/)[0]
  return { ...compiling({ decide: ({ name }) => (name === tool ? allowedBy('one') : denied) })(sources, context), digest } as ReturnType<
    typeof compileBundle
  >
}

async function start(text: string | undefined) {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-policy-'))
  endings.push(() => rmSync(dir, { recursive: true, force: true }))
  const write = (content: string): void => writeFileSync(join(dir, 'a.policy'), content)
  if (text !== undefined) write(text)
  const stores = createTemporaryStores()
  endings.push(() => stores.remove())
  const events: AdminEvent[] = []
  const policy = definePlugin({
    name: 'policy',
    apiVersion: 1,
    config,
    capabilities: ['decides', 'narrows-list'],
    provides: [DecisionBasis],
    setup: ctx => setUp(ctx, compile),
  })
  const recorder = definePlugin({
    name: 'recorder',
    apiVersion: 1,
    config: { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: {} }) } },
    capabilities: [],
    provides: [Recording],
    setup(ctx) {
      ctx.provide(Recording, { event: async event => void events.push(event) })
      return {}
    },
  })
  const world = await harness({ plugins: [recorder, { plugin: policy, config: { files: ['a.policy'], dir } }], stores })
  endings.push(() => world.stop())
  return { world, events, write, dir }
}

const ask = async (world: Harness, tool: string): Promise<string> => (await world.call('crm', tool)).outcome.kind
const healthOf = (world: Harness): string | undefined => world.kernel.health.view().components.find(one => one.name === 'policy')?.why

test('a broken bundle leaves the last good one in force, until a good one comes; three records tell of it', async () => {
  const { world, events, write } = await start('get')
  expect([await ask(world, 'get'), await ask(world, 'put')]).toEqual(['answered', 'denied'])
  for (const broken of ['broken', 'broken otherwise']) {
    write(broken)
    await world.kernel.reload()
    expect([await ask(world, 'get'), await ask(world, 'put')]).toEqual(['answered', 'denied'])
    expect(healthOf(world)).toContain('a.policy:1:1')
  }
  write('put')
  await world.kernel.reload()
  expect([await ask(world, 'get'), await ask(world, 'put')]).toEqual(['denied', 'answered'])
  expect(healthOf(world)).toBeUndefined()
  expect(events.map(one => one.type)).toEqual(['policy.load', 'policy.reload-refused', 'policy.reload-refused', 'policy.reload'])
  const [load, refused, , reload] = events
  expect(refused!.detail).toMatchObject({ inForce: load!.detail.bundle, findings: [expect.stringContaining('a.policy:1:1')] })
  expect(reload!.detail).toMatchObject({ before: load!.detail.bundle, rules: 1, mode: 'enforce' })
  expect(reload!.detail.bundle).not.toBe(load!.detail.bundle)
})

test('a file that is mended to what is in force ends the finding without a record', async () => {
  const { world, events, write } = await start('get')
  write('broken')
  await world.kernel.reload()
  write('get')
  await world.kernel.reload()
  expect(healthOf(world)).toBeUndefined()
  expect(events.map(one => one.type)).toEqual(['policy.load', 'policy.reload-refused'])
})

test('a file that changes is noticed without being told, once it is no longer being written', async () => {
  const { world, write } = await start('get')
  write('put and more')
  while ((await ask(world, 'put')) !== 'answered') {
    await world.clock.advance(100)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  expect(await ask(world, 'get')).toBe('denied')
})

test('calls that are under way while bundles change are answered, each by one bundle or the other', async () => {
  const { world, write } = await start('get')
  let calls = 0
  let on = true
  const asking = (async () => {
    while (on) {
      const { outcome } = await world.call('crm', 'get')
      calls++
      expect(['answered', 'denied']).toContain(outcome.kind)
      await new Promise(resolve => setImmediate(resolve))
    }
  })()
  for (const text of ['broken', 'put', 'broken', 'get']) {
    write(text)
    await world.kernel.reload()
  }
  on = false
  await asking
  expect(calls).toBeGreaterThan(0)
  expect(await ask(world, 'get')).toBe('answered')
})

test.each([
  ['broken', /the policies are refused:\na\.policy:1:1: error\[syntax\]/],
  [undefined, /a\.policy: there is no such file/],
])('a start with policies that cannot be used (%j) is refused with what is wrong', async (text, message) => {
  await expect(start(text)).rejects.toThrow(message)
})

test('a folder is all policy files in it, and without any everything is denied', async () => {
  const { world, write, dir } = await start('get')
  rmSync(join(dir, 'a.policy'))
  await world.kernel.reload()
  expect(await ask(world, 'get')).toBe('answered')
  expect(healthOf(world)).toContain('there is no such file')
  write('get')
})

test('a lock that others may change is refused, and what was in force stays', async () => {
  const { world, dir } = await start('get')
  const lock = join(dir, 'mcpgw.lock.json')
  writeFileSync(lock, lockText(makeLock({ servers: [], dischargers: [], roles: [], tenants: [] }, [])))
  chmodSync(lock, 0o666)
  await world.kernel.reload()
  expect(healthOf(world)).toContain(`${lock}: others than its owner may change it. Run: chmod go-w `)
  expect(await ask(world, 'get')).toBe('answered')
  chmodSync(lock, 0o644)
  await world.kernel.reload()
  expect(healthOf(world)).toBeUndefined()
})
