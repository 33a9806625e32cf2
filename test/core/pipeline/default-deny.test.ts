// Rule 2 of the plugin contract: no explicit allow, no upstream call; and an open gateway says that it is open.
import { expect, test } from 'vitest'
import { deny, pass } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { allower, code, PASSING, request, through } from './stage.ts'

test('with a decider loaded, what nobody allows never reaches a server', async () => {
  const { called, sent } = await through(request('policy', ['decides'], () => pass))
  expect([code(called), sent]).toEqual(['denied', []])
  expect(called.exchange.decision).toMatchObject({ outcome: 'deny', by: ['default'], code: 'denied' })
})

test('one explicit allow lets a call through, and says by which rule', async () => {
  const { called, sent } = await through(allower())
  expect([code(called), sent]).toEqual([undefined, [PASSING]])
  expect(called.exchange.decision).toEqual({ outcome: 'allow', by: ['policy/main:1'], obligations: [] })
  expect(called.value).toMatchObject({ structuredContent: { path: '/a', size: 7 } })
})

test.each(['before', 'after'])('any denial beats any allow, also one %s it', async where => {
  const denier = request('limits', [], () => deny('rate-limited', 'slow down', { rules: ['r'], retryAfter: 3, detail: 'bucket a' }))
  const { called, sent } = await through(...(where === 'before' ? [denier, allower()] : [allower(), denier]))
  expect(called.refusal).toEqual({ code: 'rate-limited', reason: 'slow down', by: ['limits/r'], retryAfter: 3 })
  expect(sent).toEqual([])
  expect(called.exchange.notes.get('limits.detail')).toBe('bucket a')
  expect(called.outcome).toEqual({ kind: 'denied', decision: called.exchange.decision })
})

test('call, read, prompt and method need an allow; list and plumbing do not', async () => {
  const world = await harness({ plugins: [request('policy', ['decides'], () => pass)] })
  const codes = [
    code(await world.call('s', 't')),
    code(await world.send('resources/read', { kind: 'read', server: 's', uri: 'a:b' }, { uri: 'a:b' })),
    code(await world.send('prompts/get', { kind: 'prompt', server: 's', prompt: 'p' }, { name: 'p' })),
    code(
      await world.send(
        'sampling/createMessage',
        { kind: 'method', server: 's', method: 'sampling/createMessage' },
        {},
        { direction: 'to-client' },
      ),
    ),
    code(await world.send('tools/list', { kind: 'list', of: 'tools' })),
    code(await world.send('ping', { kind: 'plumbing' })),
  ]
  expect(codes).toEqual(['denied', 'denied', 'denied', 'denied', undefined, undefined])
})

test('without a decider the gateway is an open pass-through and says so', async () => {
  const { world, called, sent } = await through(plug('audit', ['records']))
  expect(sent).toEqual([PASSING])
  expect(called.exchange.open).toBe(true)
  expect(called.exchange.decision).toEqual({ outcome: 'allow', by: ['open'], obligations: [] })
  expect([world.kernel.report.open, world.kernel.health.view().open, world.kernel.pipeline.open]).toEqual([true, true, true])
  expect(world.log).toContainEqual({ level: 'warn', message: 'open: no loaded plugin decides, every call is let through', fields: {} })
  const decided = await through(allower())
  expect([decided.world.kernel.report.open, decided.world.kernel.health.view().open, decided.called.exchange.open]).toEqual([
    false,
    false,
    false,
  ])
})
