// The plugin in a gateway: its config, its place in the order, what it says at the start, and that a start does not pay for it.
import { readFileSync } from 'node:fs'
import { definePlugin, Usage } from 'mcpgw/plugin'
import { checkPlugin, createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import stripe from '../../../plugins/stripe/index.ts'
import { createUsage, parseConfig } from './billing-world.ts'

const meter = definePlugin({
  name: 'meter',
  apiVersion: 1,
  config: z.strictObject({}),
  capabilities: [],
  provides: [Usage],
  setup(ctx) {
    ctx.provide(Usage, createUsage())
    return {}
  },
})
const config = { apiKey: 'rk_test_x', meters: [{ event: 'tool_calls' }] }

async function start(given: object, scrub?: (text: string) => string): Promise<Harness> {
  const stores = createTemporaryStores()
  const made = await harness({ plugins: [meter, { plugin: stripe, config: given }], stores, ...(scrub && { scrub }) })
  onTestFinished(async () => {
    await made.stop()
    stores.remove()
  })
  return made
}

test('it keeps the contract of plugins', async () => {
  const stores = createTemporaryStores()
  onTestFinished(() => stores.remove())
  const checks = await checkPlugin(stripe, { config: { ...config, dryRun: true }, stores, before: [meter] })
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
})

test('without a plugin before it that counts usage, the gateway does not start', async () => {
  await expect(harness({ plugins: [{ plugin: stripe, config }, meter] })).rejects.toThrow(/meter must stand before stripe|usage/)
})

test('a key that stands in the config is warned of, one from a secret is not', async () => {
  const warnings = ({ log }: Harness): string[] =>
    log.filter(({ level, message }) => level === 'warn' && message.includes('apiKey')).map(({ message }) => message)
  expect(warnings(await start(config))).toEqual([expect.stringContaining('apiKey stands in the config')])
  expect(warnings(await start(config, text => text.replaceAll('rk_test_x', '[secret]')))).toEqual([])
})

test.each<[object, string]>([
  [{ meters: config.meters }, 'expected the key'],
  [{ ...config, meters: [] }, 'at least one meter'],
  [{ ...config, host: 'api.example.com' }, 'host|localhost'],
  [{ ...config, protocol: 'http' }, 'only for a host on this machine'],
  [{ ...config, customers: { acme: 'acme' } }, 'expected the id of a customer'],
  [
    { ...config, meters: [...config.meters, { event: 'x', of: 'units' }, { event: 'tool_calls', of: 'units', tool: 'a' }] },
    'meters\\[0\\] counts calls into tool_calls, and meters\\[2\\] units: expected the same for one event',
  ],
  [{ ...config, grace: 5 }, ''],
  [{ ...config, since: 'yesterday' }, ''],
  [{ ...config, apikey: 'x' }, 'apikey'],
])('refuses %j', async (wrong, why) => {
  await expect(parseConfig(wrong as Record<string, unknown>)).rejects.toThrow(new RegExp(why))
})

test('it has no part in a call: it is nowhere on its way', async () => {
  const { call } = await start({ ...config, dryRun: true })
  expect((await call('files', 'read')).outcome.kind).toBe('answered')
  const { setUp } = await import('../../../plugins/stripe/setup.ts')
  const released: unknown[] = []
  const stores = createTemporaryStores()
  onTestFinished(() => stores.remove())
  const metric = { inc() {}, set() {}, observe() {} }
  const hooks = setUp({
    config: await parseConfig({ ...config, dryRun: true }),
    stores,
    clock: { now: () => 0, mono: () => 0, after: () => () => {} },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric },
    use: () => createUsage(),
    scrub: (text: string) => text,
    offer() {},
    onStop: (release: unknown) => released.push(release),
  } as unknown as Parameters<typeof setUp>[0])
  expect(Object.keys(hooks)).toEqual(['start'])
  expect(released).toHaveLength(1)
})

test('the stripe package is loaded by one file, and there when it is used', () => {
  const text = readFileSync(new URL('../../../plugins/stripe/client.ts', import.meta.url), 'utf8')
  expect([...text.matchAll(/^import (?!type).*'stripe'/gm)]).toEqual([])
  expect(text).toContain("await import('stripe')")
})
