// What becomes of a finding: each action in both directions, through the real kernel, and what happens where two meet.
import { createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { afterEach, expect, test } from 'vitest'
import redact from '../../../plugins/redact/index.ts'

const card = '4111 1111 1111 1111'
const mail = 'ann@example.com'
const worlds: Harness[] = []
const stores = createTemporaryStores()

async function open(config: object): Promise<Harness> {
  const world = await harness({ plugins: [{ plugin: redact, config }], stores })
  worlds.push(world)
  return world
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

const caller = (tenant: string) => ({
  principal: { id: 'ann', roles: [], tenant, claims: {}, via: { method: 'test' } },
})

/** What the server is sent for this text. */
async function sent(world: Harness, text: string, tenant = 'one'): Promise<unknown> {
  await world.call('s', 'echo', { text }, caller(tenant))
  return (world.upstream.received.at(-1)!.params.value as { arguments: { text: unknown } }).arguments.text
}

test('mask keeps the last four, and nothing of what has less than eight characters', async () => {
  const world = await open({
    actions: { email: 'mask' },
    patterns: [{ name: 'pin', pattern: String.raw`PIN\d{4}`, action: 'mask' }],
  })
  expect(await sent(world, `${card}, ${mail}, PIN1234, 1234`)).toBe('**** **** **** 1111, ***@******e.com, *******, 1234')
})

test('replace leaves the type', async () => {
  const world = await open({ actions: { card: 'replace' } })
  expect(await sent(world, `pay ${card} now`)).toBe('pay [CARD] now')
})

test('a token is the same for the same value however it is written, and another for every other value, type and tenant', async () => {
  const world = await open({ actions: { card: 'token', email: 'token', iban: 'token' } })
  const text = await sent(world, `${card}|4111-1111-1111-1111|4111111111111111|5500 0000 0000 0004|${mail}|ANN@example.com`)
  const tokens = String(text).split('|')
  expect(tokens[0]).toMatch(/^\[CARD [0-9a-f]{12}\]$/)
  expect(new Set(tokens.slice(0, 3)).size).toBe(1)
  expect(tokens[3]).toMatch(/^\[CARD [0-9a-f]{12}\]$/)
  expect(tokens[3]).not.toBe(tokens[0])
  expect(tokens[4]).toMatch(/^\[EMAIL [0-9a-f]{12}\]$/)
  expect(tokens[5]).toBe(tokens[4])
  expect(await sent(world, card, 'two')).not.toBe(tokens[0])
  // Another boot has the same key, and a token is no finding itself.
  expect(await sent(await open({ actions: { card: 'token' } }), card)).toBe(tokens[0])
  expect(await sent(world, String(text))).toBe(text)
  expect(stores.key('redact.key')).toHaveLength(32)
})

test('drop empties the text that holds a value, keeps its place and type, and names a member by the type', async () => {
  const world = await open({ actions: { email: 'drop', card: 'drop' } })
  world.upstream.on('s/get', () => ({
    content: [
      { type: 'text', text: `write to ${mail}` },
      { type: 'text', text: 'fine' },
    ],
    structuredContent: { to: mail, cc: ['bob', mail], n: 4111111111111111, [mail]: 1, name: 'bob' },
  }))
  expect((await world.call('s', 'get')).value).toEqual({
    content: [
      { type: 'text', text: '' },
      { type: 'text', text: 'fine' },
    ],
    structuredContent: { to: '', cc: ['bob', ''], n: 0, '[EMAIL]': 1, name: 'bob' },
  })
})

test('block refuses the call on the way up: the server is not called', async () => {
  const world = await open({ actions: { card: 'block' } })
  const { refusal, outcome } = await world.call('s', 'pay', { n: card })
  expect(refusal).toMatchObject({ code: 'redaction-blocked', reason: 'it holds what may not pass (card)' })
  expect(outcome.kind).toBe('denied')
  expect(world.upstream.received).toEqual([])
  expect((await world.call('s', 'pay', { n: 4111111111111111 })).refusal?.code).toBe('redaction-blocked')
  expect((await world.call('s', 'pay', { note: mail })).value).toMatchObject({ structuredContent: { note: '[EMAIL]' } })
})

test('block withholds the answer on the way down, says that the call was made, and drops a notification', async () => {
  const world = await open({ actions: { card: 'block' } })
  world.upstream.on('s/get', async (_request, reply) => {
    await reply.notify('notifications/progress', { progressToken: 1, progress: 1, message: `at ${card}` })
    await reply.notify('notifications/progress', { progressToken: 1, progress: 2, message: `at ${mail}` })
    return { content: [{ type: 'text', text: card }] }
  })
  const { answer, notifications } = await world.call('s', 'get')
  expect(answer).toMatchObject({ kind: 'error', code: 'withheld' })
  expect(JSON.stringify(answer!.payload.value)).toContain('it holds what may not pass (card); the call was made')
  expect(notifications.map(one => one.params.value)).toEqual([{ progressToken: 1, progress: 2, message: 'at [EMAIL]' }])
})

test('a text that blocks only where it is read across the marks of a JSON document is no finding', async () => {
  const world = await open({ patterns: [{ name: 'pair', pattern: 'a","b', action: 'block' }] })
  expect(await sent(world, '["a","b"]')).toBe('["a","b"]')
  expect((await world.call('s', 'echo', { text: 'a","b' })).refusal?.code).toBe('redaction-blocked')
})

test('where findings overlap the strictest action counts, and of two kinds nothing is kept', async () => {
  const patterns = (action: string) => [{ name: 'order', pattern: String.raw`order \d{4} \d{4}`, action }]
  const text = `order ${card} x`
  expect(await sent(await open({ patterns: patterns('mask') }), text)).toBe('[CARD] x')
  expect(await sent(await open({ patterns: patterns('token'), actions: { card: 'token' } }), text)).toBe('[CARD] x')
  expect(await sent(await open({ patterns: patterns('drop') }), text)).toBe('')
  expect((await (await open({ patterns: patterns('block') })).call('s', 'echo', { text })).refusal?.code).toBe('redaction-blocked')
})

test('a replacement may be longer than the value, and dollar signs are only text', async () => {
  const patterns = [{ name: 'a-very-long-name-for-a-short-thing', pattern: 'qx' }]
  const world = await open({ patterns })
  expect(await sent(world, "$&qx$1qx$'qx")).toBe(
    "$&[A_VERY_LONG_NAME_FOR_A_SHORT_THING]$1[A_VERY_LONG_NAME_FOR_A_SHORT_THING]$'[A_VERY_LONG_NAME_FOR_A_SHORT_THING]",
  )
})

test('in a list a blocked value is replaced: one description must not hide the tools of every server', async () => {
  const world = await open({ actions: { card: 'block' } })
  const { exchange } = await world.send('tools/list', { kind: 'list', of: 'tools' })
  const { Json } = await import('../../../core/mcp/json.ts')
  const payload = Json.of({ tools: [{ name: 'pay', description: `e.g. ${card}`, inputSchema: { type: 'object' } }] })
  const shown = await world.kernel.pipeline.respond(exchange, { kind: 'result', payload })
  expect(shown.payload.value).toMatchObject({ tools: [{ name: 'pay', description: 'e.g. [CARD]' }] })
})
