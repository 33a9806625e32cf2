// Rules 8 and 9 of the plugin contract: a connection is not an identity, and late is lost.
import { expect, test } from 'vitest'
import { allow, deny, identify, pass } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { alice, code, request } from './stage.ts'

test('onConnection refuses an address and cannot identify; onClose is heard by those who saw the peer come', async () => {
  const closed: string[] = []
  const watch = plug('watch', [], { onConnection: () => pass, onClose: () => void closed.push('watch') })
  const filter = (verdict: unknown) =>
    plug('filter', ['authenticates'], { onConnection: () => verdict as never, onClose: () => void closed.push('filter') })
  const after = plug('after', [], { onClose: () => void closed.push('after') })
  const peer = () => ({ transport: 'http' as const, ip: '10.0.0.9', header: () => [] })
  const open = await harness({ plugins: [watch, filter(pass), after] })
  const known = peer()
  expect(await open.kernel.pipeline.connect(known)).toBeUndefined()
  await open.kernel.pipeline.disconnect(known)
  await open.kernel.pipeline.disconnect(known)
  expect(closed.splice(0)).toEqual(['after', 'filter', 'watch'])
  for (const [verdict, expected] of [
    [deny('forbidden-address', 'no'), 'forbidden-address'],
    [identify(alice), 'plugin-failed'],
  ] as const) {
    const world = await harness({ plugins: [watch, filter(verdict), after] })
    const refused = peer()
    expect(await world.kernel.pipeline.connect(refused)).toMatchObject({ code: expected })
    await world.kernel.pipeline.disconnect(refused)
    expect(closed.splice(0)).toEqual(['filter', 'watch'])
  }
})

test('where a plugin authenticates, the principal of a session counts only on the way to the client', async () => {
  const world = await harness({ plugins: [request('auth', ['authenticates'], () => pass)] })
  expect(code(await world.call('s', 't', {}, { principal: alice }))).toBe('unauthenticated')
  const asked = await world.send(
    'roots/list',
    { kind: 'method', server: 's', method: 'roots/list' },
    {},
    { principal: alice, direction: 'to-client' },
  )
  expect([code(asked), asked.exchange.principal]).toEqual([undefined, alice])
})

test('a verdict after the time-out is ignored and counted, and a hook still pending at stop is named', async () => {
  let late: (verdict: unknown) => void = () => {}
  const slow = request(
    'policy',
    ['decides'],
    () =>
      new Promise<never>(resolve => {
        late = resolve as never
      }),
  )
  const world = await harness({ plugins: [slow] })
  const calling = world.call('s', 't')
  await world.clock.advance(5_000)
  const called = await calling
  expect(code(called)).toBe('plugin-failed')
  late(allow())
  await world.clock.advance(0)
  expect([called.exchange.decision?.outcome, world.upstream.received]).toEqual(['deny', []])
  expect(world.kernel.metrics.render()).toContain('mcpgw_late_verdicts_total{plugin="policy",hook="onRequest"} 1')
  expect(world.log).toContainEqual({
    level: 'warn',
    message: 'a verdict came too late and was ignored',
    fields: { plugin: 'policy', hook: 'onRequest', callId: called.exchange.id, afterMs: 5_000 },
  })
  const again = world.call('s', 't')
  await world.clock.advance(5_000)
  await again
  expect((await world.stop()).pending).toEqual([{ plugin: 'policy', hook: 'onRequest', callId: 'call-2', for: 5_000, late: true }])
  expect(world.log).toContainEqual({
    level: 'warn',
    message: 'a hook is still pending at stop',
    fields: { plugin: 'policy', hook: 'onRequest', callId: 'call-2', for: 5_000, late: true },
  })
})
