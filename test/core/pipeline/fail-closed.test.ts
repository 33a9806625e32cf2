// Rule 3 of the plugin contract: whatever a plugin does wrong before the call is a refusal.
import { expect, test } from 'vitest'
import { allow, answer, type Capability, deny, identify, type Principal, pass, rewrite } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { alice, allower, code, faults, PASSING, request, through } from './stage.ts'

test.each(faults)(
  'a hook before the upstream call that %s is a refusal; the log names it, the public text does not',
  async (_what, fault) => {
    for (const hook of ['onRequest', 'onSealed'] as const) {
      const world = await harness({ plugins: [allower(), plug('culprit', [], { [hook]: fault })] })
      const calling = world.call('s', 't')
      await world.clock.advance(5_000)
      const { refusal } = await calling
      expect(refusal?.code).toBe('plugin-failed')
      expect(refusal?.reason).not.toMatch(/culprit|onRequest|onSealed|inside/)
      expect(world.upstream.received).toEqual([])
      expect(world.log).toContainEqual(
        expect.objectContaining({ level: 'error', fields: expect.objectContaining({ plugin: 'culprit', hook }) }),
      )
      expect(world.kernel.metrics.render()).toMatch(
        new RegExp(`mcpgw_plugin_failures_total\\{plugin="culprit",hook="${hook}",why="\\S+"\\} 1`),
      )
    }
  },
)

test.each([
  ['identifies', () => identify(alice)],
  ['allows', () => allow()],
  ['rewrites', () => rewrite({ ...PASSING })],
  ['answers', () => answer({ content: [] })],
])('a plugin that %s without the capability is refused', async (_what, verdict) => {
  const { called, sent } = await through(allower(), request('culprit', [], verdict))
  expect([code(called), sent]).toEqual(['plugin-failed', []])
})

test('failure: open forgives a plugin that can do nothing, but not a verdict that it may not give', async () => {
  const broken = request('stats', [], () => {
    throw new Error('x')
  })
  expect((await through(allower(), { plugin: broken, failure: 'open' })).sent).toEqual([PASSING])
  expect((await through(allower(), { plugin: request('stats', [], () => allow()), failure: 'open' })).sent).toEqual([])
  expect(code((await through(allower(), { plugin: request('stats', [], () => deny('denied', 'no')), failure: 'open' })).called)).toBe(
    'denied',
  )
})

test.each<[string, Capability[], string[]]>([
  ['decides', ['decides'], []],
  ['masks', ['masks'], []],
  ['records', ['records'], []],
  ['narrows lists', ['narrows-list'], []],
  ['discharges', [], ['limit']],
])('failure: open is refused at the start of a plugin that %s', async (_what, capabilities, discharges) => {
  const plugin = plug('p', capabilities, { discharge: () => pass }, { discharges })
  await expect(harness({ plugins: [{ plugin, failure: 'open' }] })).rejects.toThrow('failure-open: p may not fail open')
})

test('an authenticator is loaded and nobody is identified: refused before any later plugin looks', async () => {
  const seen: string[] = []
  const later = request('later', [], () => {
    seen.push('later')
    return pass
  })
  const { called } = await through(
    request('auth', ['authenticates'], () => pass),
    later,
  )
  expect([code(called), seen]).toEqual(['unauthenticated', []])
})

test('a caller is identified once', async () => {
  const auth = (name: string) => request(name, ['authenticates'], () => identify(alice))
  expect(code((await through(auth('one'), auth('two'))).called)).toBe('plugin-failed')
  expect((await through(auth('one'))).called.exchange.principal).toEqual(alice)
})

test.each(['id', 'roles', 'tenant', 'claims', 'via'])('a principal without %s is garbage', async member => {
  const { [member as 'id']: _, ...rest } = alice
  expect(code((await through(request('auth', ['authenticates'], () => identify(rest as Principal)))).called)).toBe('plugin-failed')
})

test.each([
  { id: 'b\0c', tenant: 'a' },
  { id: 'c', tenant: 'a\0b' },
])('nobody is of a tenant and an id that could be cut otherwise (%j)', async named => {
  const auth = request('auth', ['authenticates'], () => identify({ ...alice, ...named }))
  expect(code((await through(auth)).called)).toBe('plugin-failed')
})
