// Refusals of nobody in particular are records too, say where from and why, and cannot be used to fill the log.
import type { Decision, Outcome, Refused } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../../core/testing/index.ts'
import { createExchange, type Fields, type Gateway, payload, readBodies, readRows, runCommand, startGateway } from './gateway.ts'

const foreign: Refused = {
  code: 'forbidden-host',
  reason: 'host or origin is not allowed',
  by: ['default'],
  transport: 'http',
  ip: '203.0.113.7',
  status: 403,
  method: 'POST',
  path: '/mcp',
}

/** With a clock of its own: what is told at the stop is read after it. */
async function start(): Promise<{ gateway: Gateway; clock: FakeClock; refusals(): Promise<Fields[]> }> {
  const clock = createFakeClock()
  const gateway = await startGateway({ clock })
  return {
    gateway,
    clock,
    async refusals() {
      await gateway.stop()
      return readBodies(gateway.dir).filter(({ type }) => type.startsWith('refusal'))
    },
  }
}

const denied = (code: string): Outcome => {
  const decision: Decision = { outcome: 'deny', by: ['auth'], obligations: [], code, reason: 'no' }
  return { kind: 'denied', decision }
}

test('a refusal before there is an exchange says code, status, method, path, source, transport and reason', async () => {
  const { gateway, refusals } = await start()
  void gateway.hooks.onRefused!({ ...foreign, action: 'tools/call' })
  expect(await refusals()).toEqual([
    expect.objectContaining({
      type: 'refusal',
      at: expect.any(Number),
      actor: null,
      source: { ip: '203.0.113.7' },
      transport: 'http',
      action: 'tools/call',
      http: { method: 'POST', path: '/mcp', status: 403 },
      decision: { outcome: 'deny', rules: ['default'], code: 'forbidden-host', reason: 'host or origin is not allowed' },
    }),
  ])
})

test('on standard streams there is neither source nor HTTP', async () => {
  const { gateway, refusals } = await start()
  void gateway.hooks.onRefused!({ code: 'parse-error', reason: 'not UTF-8 at byte 3', by: ['default'], transport: 'stdio' })
  const [record] = await refusals()
  expect(record).toMatchObject({ transport: 'stdio', decision: { code: 'parse-error', reason: 'not UTF-8 at byte 3' } })
  expect(record).not.toHaveProperty('source')
  expect(record).not.toHaveProperty('http')
})

test('the same from the same address is one record and then a count each ten seconds; other addresses and codes are others', async () => {
  const { gateway, clock, refusals } = await start()
  for (let i = 0; i < 100; i++) void gateway.hooks.onRefused!({ ...foreign, path: `/mcp/${i}` })
  void gateway.hooks.onRefused!({ ...foreign, ip: '203.0.113.8' })
  void gateway.hooks.onRefused!({ ...foreign, code: 'not-found' })
  await clock.advance(10_000)
  const found = await refusals()
  expect(found.map(({ type, count }) => [type, count])).toEqual([
    ['refusal', undefined],
    ['refusal', undefined],
    ['refusal', undefined],
    ['refusal.repeated', 99],
  ])
  expect(found[3]).toMatchObject({ source: { ip: '203.0.113.7' }, decision: { code: 'forbidden-host' }, firstAt: clock.now() - 10_000 })
})

test('bad credentials are counted in the same way, whatever was asked for', async () => {
  const { gateway, refusals } = await start()
  for (let i = 0; i < 50; i++)
    await gateway.hooks.onSettled!(createExchange({ principal: null, action: `method/${i}` }), denied('bad-credential'))
  const found = await refusals()
  expect(found.map(({ type, count }) => [type, count])).toEqual([
    ['refusal', undefined],
    ['refusal.repeated', 49],
  ])
  expect(found[0]).toHaveProperty('callId')
})

test('a count is a count in the statistics and in the table', async () => {
  const { gateway, clock, refusals } = await start()
  for (let i = 0; i < 100; i++) void gateway.hooks.onRefused!(foreign)
  await clock.advance(0)
  await refusals()
  const { out } = await runCommand(gateway.dir, 'audit stats', { json: true })
  expect(JSON.parse(out)).toMatchObject({ outcomes: { refused: 100 } })
  const { out: table } = await runCommand(gateway.dir, 'audit log', { status: 'refused' })
  expect(table).toMatch(/refused .* 99 times forbidden-host · default · host or origin is not allowed$/m)
})

test('with no authenticator, refusals of different tools are different, and equal ones are counted', async () => {
  const { gateway, refusals } = await start()
  for (const tool of ['read', 'write', 'write'])
    await gateway.hooks.onSettled!(createExchange({ principal: null, resource: { kind: 'call', server: 's', tool } }), denied('denied'))
  expect((await refusals()).map(({ type, tool, count }) => [type, tool, count])).toEqual([
    ['refusal', 'read', undefined],
    ['refusal', 'write', undefined],
    ['refusal.repeated', undefined, 1],
  ])
})

test('of a known caller each refusal is a record of its own', async () => {
  const { gateway, refusals } = await start()
  for (let i = 0; i < 5; i++) await gateway.hooks.onSettled!(createExchange(), denied('denied'))
  expect((await refusals()).map(({ type }) => type)).toEqual(Array(5).fill('refusal'))
})

test('a handshake that the gateway has no room for is a refusal', async () => {
  const { gateway, refusals } = await start()
  const outcome: Outcome = { kind: 'failed', cause: 'upstream-error', code: 'too-many-sessions' }
  await gateway.hooks.onSettled!(createExchange({ resource: { kind: 'plumbing' }, action: 'initialize' }), outcome)
  expect(await refusals()).toEqual([
    expect.objectContaining({ type: 'refusal', action: 'initialize', decision: expect.objectContaining({ code: 'too-many-sessions' }) }),
  ])
})

test('T61: what a client wrote cannot begin a line, a member or a colour of its own', async () => {
  const { gateway, refusals } = await start()
  const evil = 'x\n{"type":"gateway.stop"}\r\u001b[31m"},\u2028\u0000\u0085\u202e\u{e0041}'
  void gateway.hooks.onRefused!({ ...foreign, method: evil, path: evil, action: evil, reason: evil, by: [evil] })
  await gateway.hooks.onSettled!(
    createExchange({ client: { name: evil, version: evil }, args: payload({ [evil]: evil }) }),
    denied('denied'),
  )
  await gateway.recording.event({ type: 'test.event', actor: evil, detail: { [evil]: evil } })
  const [record] = await refusals()
  expect(
    readRows(gateway.dir)
      .map(({ body }) => body)
      .join(''),
  ).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u)
  expect(record).toMatchObject({ action: evil, http: { path: evil, method: evil }, decision: { reason: evil } })
})

test('a refusal after the intent is on record is the end of that call: it is never only counted', async () => {
  const { gateway, refusals } = await start()
  const calls = Array.from({ length: 3 }, () => createExchange({ principal: null }))
  for (const x of calls) {
    await gateway.hooks.onSealed!(x)
    await gateway.hooks.onSettled!(x, denied('not-recorded'))
  }
  expect((await refusals()).map(({ type, callId }) => [type, callId])).toEqual(calls.map(({ id }) => ['refusal', id]))
})
