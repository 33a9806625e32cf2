// So many requests a minute of each principal: bursts as far as told, evenly after that, and nobody pays for another.
import { definePlugin, identify, type Principal } from 'mcpgw/plugin'
import { createFakeClock, type Harness, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { Cell } from '../../../plugins/ratelimit/cell.ts'
import ratelimit from '../../../plugins/ratelimit/index.ts'
import { LocalCounts } from '../../../plugins/ratelimit/local-counts.ts'

async function world(config: object): Promise<Harness> {
  const made = await harness({ plugins: [{ plugin: ratelimit, config }], clock: createFakeClock() })
  onTestFinished(async () => void (await made.stop()))
  return made
}
const who = (id: string, keyId?: string): { principal: Principal } => ({
  principal: { id, tenant: 'acme', roles: [], claims: {}, via: { method: 'api-key', ...(keyId !== undefined && { keyId }) } },
})
async function accepted({ call }: Harness, times: number, options: object): Promise<number> {
  let count = 0
  for (let i = 0; i < times; i++) if ((await call('s', 't', {}, options)).refusal === undefined) count++
  return count
}

test('a minute of requests may come at once, then they come evenly', async () => {
  const made = await world({ defaultPerMinute: 6 })
  expect(await accepted(made, 10, who('a'))).toBe(6)
  expect((await made.call('s', 't', {}, who('a'))).refusal).toMatchObject({ code: 'rate-limited', retryAfter: 10 })
  await made.clock.advance(10_000)
  expect(await accepted(made, 3, who('a'))).toBe(1)
  await made.clock.advance(600_000)
  expect(await accepted(made, 10, who('a'))).toBe(6)
  expect(await accepted(made, 10, who('b'))).toBe(6)
})

test('a burst is as large as told, and never none', async () => {
  expect(await accepted(await world({ defaultPerMinute: 6, burstMultiplier: 2 }), 20, who('a'))).toBe(12)
  expect(await accepted(await world({ defaultPerMinute: 6, burstMultiplier: 0.01 }), 20, who('a'))).toBe(1)
})

test('a key may have a rate of its own; without a default nobody else has one', async () => {
  const made = await world({ keys: { 'key-1': 2 } })
  expect(await accepted(made, 5, who('a', 'key-1'))).toBe(2)
  expect(await accepted(made, 50, who('a', 'key-2'))).toBe(50)
  expect(await accepted(made, 50, who('a'))).toBe(50)
})

test('the rate that a credential has counts in place of the default, together with all that come of the same one, and one of the config before both', async () => {
  const made = await world({ defaultPerMinute: 100, keys: { 'key-9': 3 } })
  const of = (keyId: string, first = keyId): { principal: Principal } => ({
    principal: { ...who('a', keyId).principal, rate: { most: 4, perMs: 10_000, of: first } },
  })
  expect(await accepted(made, 9, of('key-1'))).toBe(4)
  // Rotated: both hold for a while, for as many as one.
  expect(await accepted(made, 9, of('key-2', 'key-1'))).toBe(0)
  expect(await accepted(made, 9, of('key-3'))).toBe(4)
  expect(await accepted(made, 9, of('key-9'))).toBe(3)
  expect(await accepted(made, 9, who('a'))).toBe(9)
  expect((await made.call('s', 't', {}, of('key-1'))).refusal).toMatchObject({ code: 'rate-limited', retryAfter: 3 })
  await made.clock.advance(2500)
  expect(await accepted(made, 9, of('key-1'))).toBe(1)
})

test('who has a rate is refused where nothing holds him to it', async () => {
  const authenticates = definePlugin({
    name: 'knows',
    apiVersion: 1,
    config: z.strictObject({}),
    capabilities: ['authenticates'],
    setup: () => ({ onRequest: () => identify({ ...who('a', 'k').principal, rate: { most: 4, perMs: 10_000, of: 'k' } }) }),
  })
  const without = await harness({ plugins: [{ plugin: authenticates }] })
  onTestFinished(async () => void (await without.stop()))
  expect((await without.call('s', 't', {})).refusal?.code).toBe('unmet-obligation')
  const held = await harness({ plugins: [{ plugin: authenticates }, { plugin: ratelimit, config: {} }] })
  onTestFinished(async () => void (await held.stop()))
  expect(await accepted(held, 9, {})).toBe(4)
})

test('callers whom nobody knows are told apart by their address; lists and plumbing do not count', async () => {
  const made = await world({ defaultPerMinute: 1 })
  expect(await accepted(made, 3, { ip: '10.0.0.1' })).toBe(1)
  expect(await accepted(made, 3, { ip: '10.0.0.2' })).toBe(1)
  for (let i = 0; i < 3; i++) {
    expect((await made.send('tools/list', { kind: 'list', of: 'tools' }, {}, { ip: '10.0.0.1' })).refusal).toBeUndefined()
    expect((await made.send('ping', { kind: 'plumbing' }, {}, { ip: '10.0.0.1' })).refusal).toBeUndefined()
  }
  expect((await made.send('prompts/get', { kind: 'prompt', server: 's', prompt: 'p' }, {}, { ip: '10.0.0.1' })).refusal?.code).toBe(
    'rate-limited',
  )
})

test.each<Cell>([
  { kind: 'bucket', id: 'b', everyMs: 60_000, depthMs: 60_000 },
  { kind: 'window', id: 'w', most: 1, spanMs: 60_000 },
])('while every $kind is in use a newcomer is refused, and nobody is forgotten for him', cell => {
  let now = 0
  const counts = new LocalCounts(() => now)
  const take = (whose: string) => counts.take([{ cell, whose, cost: 1, limit: { text: '', by: 'all' } }])
  let refused = 0
  for (let i = 0; i < 100_000; i++) if (take(`p${i}`).kind !== 'taken') refused++
  expect(refused).toBe(0)
  expect(take('new')).toMatchObject({ kind: 'short', waitMs: 60_000 })
  expect(take('p0')).toMatchObject({ kind: 'short' })
  now = 60_000
  expect(take('new').kind).toBe('taken')
})
