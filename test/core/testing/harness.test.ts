// The harness: real pipeline, fake everything else.
import { expect, test } from 'vitest'
import { createFakeClock, harness, upstreamError } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { masking } from './subjects.ts'

test('a call goes through the plugins to the fake server and back', async () => {
  const world = await harness({ plugins: [{ plugin: masking, config: { mask: '[x]' } }] })
  const { value, exchange } = await world.call('bank', 'pay', { card: '4111 1111 1111 1111' })
  expect(world.upstream.received).toMatchObject([{ server: 'bank', method: 'tools/call' }])
  expect(world.upstream.received[0]!.params.value).toEqual({ name: 'pay', arguments: { card: '[x]' } })
  expect(value).toEqual({ content: [{ type: 'text', text: '{"card":"[x]"}' }], structuredContent: { card: '[x]' } })
  expect(exchange.args.value).toEqual({ card: '4111 1111 1111 1111' })
  await world.stop()
})

test('handlers answer for one tool or a whole server, with results or errors', async () => {
  const world = await harness({ plugins: [] })
  world.upstream.on('s', () => ({ content: [], who: 'server' }))
  world.upstream.on('s/t', () => ({ content: [], who: 'tool', isError: true }))
  world.upstream.on('s/bad', () => {
    throw upstreamError(-32602, 'no', { field: 'x' })
  })
  expect((await world.call('s', 'other')).value).toMatchObject({ who: 'server' })
  expect((await world.call('s', 't')).outcome).toMatchObject({ kind: 'answered', isToolError: true })
  const bad = await world.call('s', 'bad')
  expect([bad.value, bad.outcome.kind]).toEqual([{ code: -32602, message: 'no', data: { field: 'x' } }, 'failed'])
})

test('principal, headers and address are what the plugins see', async () => {
  const seen: unknown[] = []
  const look = plug('look', [], {
    onRequest: ({ principal, peer }) => {
      seen.push(principal?.id, peer.header('x-api-key'), peer.header('absent'), peer.ip)
      return { kind: 'pass' }
    },
  })
  const world = await harness({ plugins: [look] })
  await world.call(
    's',
    't',
    {},
    {
      principal: { id: 'bob', roles: [], tenant: 't', claims: {}, via: { method: 'test' } },
      headers: { 'X-API-Key': 'k' },
      ip: '10.0.0.1',
    },
  )
  expect(seen).toEqual(['bob', ['k'], [], '10.0.0.1'])
})

test('plugins that do not boot are an error that names the findings', async () => {
  await expect(harness({ plugins: [plug('m', ['masks']), plug('a', ['records'])] })).rejects.toThrow('plugin-order: a must stand before m')
})

test('the fake clock runs timers in the order of their time, and those that they set', async () => {
  const clock = createFakeClock(1_000)
  const ran: string[] = []
  clock.after(20, () => void ran.push(`b ${clock.now()}`))
  const cancel = clock.after(5, () => void ran.push('cancelled'))
  clock.after(10, () => {
    ran.push(`a ${clock.mono()}`)
    clock.after(5, () => void ran.push(`nested ${clock.mono()}`))
  })
  cancel()
  await clock.advance(19)
  expect(ran).toEqual(['a 10', 'nested 15'])
  await clock.advance(1)
  expect([ran.at(-1), clock.timers, clock.mono()]).toEqual(['b 1020', 0, 20])
})
