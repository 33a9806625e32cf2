// Limits of the config: who is counted with whom, what counts and for how much, and which settings are mistakes.
import type { Principal } from 'mcpgw/plugin'
import { createFakeClock, type Harness, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import ratelimit from '../../../plugins/ratelimit/index.ts'
import { addressOf } from '../../../plugins/ratelimit/whose.ts'

async function world(...limits: object[]): Promise<Harness> {
  const made = await harness({ plugins: [{ plugin: ratelimit, config: { limits } }], clock: createFakeClock() })
  onTestFinished(async () => void (await made.stop()))
  return made
}
interface Who {
  readonly tenant?: string
  readonly keyId?: string
  readonly roles?: readonly string[]
}
const who = (id: string, { tenant = 'acme', keyId, roles = [] }: Who = {}): { principal: Principal } => ({
  principal: { id, tenant, roles, claims: {}, via: { method: 'api-key', ...(keyId !== undefined && { keyId }) } },
})
async function accepted({ call }: Harness, times: number, options: object, [server, tool] = ['s', 't']): Promise<number> {
  let count = 0
  for (let i = 0; i < times; i++) if ((await call(server!, tool!, {}, options)).refusal === undefined) count++
  return count
}

test('a window holds over any span, and a burst within it comes at once, the rest evenly', async () => {
  const made = await world({ name: 'a', most: 10, window: '10s', burst: 4 })
  expect(await accepted(made, 10, who('a'))).toBe(4)
  expect((await made.call('s', 't', {}, who('a'))).refusal).toMatchObject({ code: 'rate-limited', retryAfter: 1 })
  let sum = 4
  for (let second = 1; second < 10; second++) {
    await made.clock.advance(1000)
    sum += await accepted(made, 3, who('a'))
  }
  // A bucket alone would have let 13 through.
  expect(sum).toBe(10)
})

test('whose requests count together: those that are equal in all that `per` names', async () => {
  const calls: readonly (readonly [object, readonly [string, string]])[] = [
    [{ ...who('a', { keyId: 'k1' }), ip: '10.0.0.1' }, ['s', 't']],
    [{ ...who('a', { keyId: 'k2' }), ip: '10.0.0.1' }, ['s', 't']],
    [{ ...who('b'), ip: '10.0.0.1' }, ['s', 'u']],
    [{ ...who('a', { tenant: 'other' }), ip: '10.0.0.2' }, ['r', 't']],
    [{ ...who('c'), ip: '10.0.0.2' }, ['s', 'u']],
  ]
  const pattern = async (per: string | string[]): Promise<string> => {
    const made = await world({ name: 'one', per, most: 1 })
    let out = ''
    for (const [options, target] of calls) out += (await accepted(made, 1, options, [...target])) === 1 ? '.' : 'x'
    return out
  }
  expect(await pattern('principal')).toBe('.x...')
  expect(await pattern('key')).toBe('.....')
  expect(await pattern('tenant')).toBe('.xx.x')
  expect(await pattern('server')).toBe('.xx.x')
  expect(await pattern('tool')).toBe('.x..x')
  expect(await pattern('address')).toBe('.xx.x')
  expect(await pattern('all')).toBe('.xxxx')
  expect(await pattern(['principal', 'tool'])).toBe('.x...')
  expect(await pattern(['address', 'tool'])).toBe('.x...')
})

test('only what fits counts: roles, tenants, servers, tools and kinds, and lists where they are named', async () => {
  const one = { per: 'all', most: 1 }
  const passes = async (match: object, options: object, target?: [string, string]): Promise<boolean> => {
    const made = await world({ name: 'one', ...one, match })
    return (await accepted(made, 3, options, target)) === 3
  }
  expect(await passes({ roles: ['adm*', 'x'] }, who('a', { roles: ['user', 'admin'] }))).toBe(false)
  expect(await passes({ roles: ['adm*'] }, who('a', { roles: ['user'] }))).toBe(true)
  expect(await passes({ roles: ['*'] }, {})).toBe(true)
  expect(await passes({ tenants: ['acme'] }, who('a'))).toBe(false)
  expect(await passes({ tenants: ['acme'] }, who('a', { tenant: 'acme2' }))).toBe(true)
  expect(await passes({ servers: ['s'], tools: ['t*'] }, who('a'), ['s', 'tt'])).toBe(false)
  expect(await passes({ servers: ['s'], tools: ['t*'] }, who('a'), ['s2', 'tt'])).toBe(true)
  expect(await passes({ servers: ['s'], tools: ['t*'] }, who('a'), ['s', 'ut'])).toBe(true)
  const made = await world({ name: 'lists', ...one, match: { kinds: ['list'] } })
  const list = async (): Promise<unknown> => (await made.send('tools/list', { kind: 'list', of: 'tools' })).refusal?.code
  expect([await list(), await list()]).toEqual([undefined, 'rate-limited'])
  expect(await accepted(made, 3, {})).toBe(3)
})

test('what costs more counts for more, the dearest that fits; a request that has no place in one limit counts in none', async () => {
  const made = await world(
    {
      name: 'dear',
      most: 10,
      costs: [
        { tools: ['big*'], cost: 3 },
        { servers: ['s'], tools: ['bigger'], cost: 5 },
      ],
    },
    { name: 'few', most: 2, match: { tools: ['rare'] } },
  )
  expect(await accepted(made, 5, who('a'), ['s', 'rare'])).toBe(2)
  expect(await accepted(made, 1, who('a'), ['s', 'bigger'])).toBe(1)
  expect(await accepted(made, 1, who('a'), ['r', 'bigger'])).toBe(1)
  expect(await accepted(made, 1, who('a'))).toBe(0)
})

test('addresses of one IPv6 network of 64 bits are one, those of IPv4 are each their own', () => {
  expect(addressOf('2001:db8:1:2::1')).toBe(addressOf('2001:db8:1:2:ffff::9'))
  expect(addressOf('2001:db8:1:2::1')).not.toBe(addressOf('2001:db8:1:3::1'))
  expect(addressOf('2001:db8::1')).toBe(addressOf('2001:db8:0:0:1::'))
  expect(addressOf('::1')).toBe(addressOf('::ffff'))
  expect(addressOf('10.0.0.1')).not.toBe(addressOf('10.0.0.2'))
})

test.each([
  [{ name: 'a' }, 'expected most or atOnce, found neither'],
  [{ name: 'a', most: 5, burst: 6 }, 'expected at most 5 as in most, found 6'],
  [{ name: 'a', burst: 6, atOnce: 1 }, 'expected most beside burst, found none'],
  [{ name: 'a', most: 5, burst: 2, costs: [{ cost: 3 }] }, 'expected at most 2, all that the limit ever allows, found 3'],
  [{ name: 'a', most: 5, window: '1 minute' }, 'expected a span of 1s to 31d such as "1m" or "1h30m", found "1 minute"'],
  [{ name: 'a', most: 5, window: '32d' }, 'expected a span of 1s to 31d'],
  [{ name: 'a', most: 5, per: 'header' }, 'expected one of principal, tenant, key, server, tool, address, all, or a list of them'],
  [{ name: 'a b', most: 5 }, 'expected letters, digits, dots and dashes'],
  [{ name: 'a', most: 5, colour: 'red' }, 'colour'],
])('%j is a mistake', async (limit, message) => {
  await expect(world(limit)).rejects.toThrow(message)
})

test('a name that two limits have is a mistake', async () => {
  await expect(world({ name: 'a', most: 5 }, { name: 'a', most: 6 })).rejects.toThrow('found "a" twice')
})
