// Rule 4 of the plugin contract: what was decided is what is sent, but for masking.
import { expect, test } from 'vitest'
import { allow, answer, deny, pass, rewrite } from '../../../core/plugin/index.ts'
import { plug } from '../define.ts'
import { allower, arrival, code, loaded, PASSING, pipelineOf, request, through } from './stage.ts'

test('before the decision a rewriter changes the params, after it nobody does', async () => {
  const smaller = () => rewrite({ name: 'read', arguments: { path: '/b' } })
  const early = await through(request('rename', ['rewrites-request'], smaller), allower())
  expect(early.sent).toEqual([{ name: 'read', arguments: { path: '/b' } }])
  expect(early.called.exchange.params.value).toEqual(early.sent[0])
  // The order proof refuses this at the start; the pipeline does not rely on that.
  const late = pipelineOf([
    loaded('policy', ['decides'], { onRequest: () => allow() }),
    loaded('rename', ['rewrites-request'], { onRequest: smaller }),
  ])
  const x = late.openExchange(arrival(PASSING))
  expect(await late.admit(x)).toMatchObject({ kind: 'refused', refusal: { code: 'plugin-failed' } })
  expect(x.params.value).toEqual(PASSING)
})

test('a masker derives what is sent by masking, and what was decided stays', async () => {
  const mask = request('redact', ['masks'], () => rewrite({ name: 'read', arguments: { path: '[path]', size: 7 } }))
  const seen: unknown[] = []
  const recorder = plug('audit', ['records'], {
    onSealed: x => {
      seen.push(x.args.value, x.sentArgs.value)
      return pass
    },
  })
  for (const plugins of [
    [recorder, allower(), mask],
    [recorder, mask],
  ]) {
    const { called, sent } = await through(...plugins)
    expect(sent).toEqual([{ name: 'read', arguments: { path: '[path]', size: 7 } }])
    expect(called.exchange.params.value).toEqual(PASSING)
    expect(seen.splice(0)).toEqual([
      { path: '/a', size: 7 },
      { path: '[path]', size: 7 },
    ])
  }
})

test('a masker that stands before the decider changes what is sent and not what is decided', async () => {
  const decided: unknown[] = []
  const mask = request('redact', ['masks'], () => rewrite({ name: 'read', arguments: { path: '[path]', size: 7 } }))
  const { sent } = await through(
    mask,
    request('policy', ['decides'], x => {
      decided.push(x.args.value)
      return allow()
    }),
  )
  expect(decided).toEqual([{ path: '/a', size: 7 }])
  expect(sent).toEqual([{ name: 'read', arguments: { path: '[path]', size: 7 } }])
})

test.each([
  ['adds a member', { name: 'read', arguments: { path: '/a', size: 7, force: 'yes' } }],
  ['adds a level', { name: 'read', arguments: { path: { a: 1 }, size: 7 } }],
  ['names another tool', { name: 'write', arguments: { path: '/a', size: 7 } }],
  ['takes the name away', { arguments: { path: '/a', size: 7 } }],
  ['sends no object', ['read']],
])('a masker that %s is refused', async (_what, value) => {
  const { called, sent } = await through(
    allower(),
    request('redact', ['masks'], () => rewrite(value as never)),
  )
  expect([code(called), sent]).toEqual(['plugin-failed', []])
})

test('a plugin answers in the place of the server only what is allowed; obligations and onResponse still apply', async () => {
  const seen: string[] = []
  const watch = plug('watch', [], {
    onResponse: () => {
      seen.push('watch')
      return pass
    },
  })
  const cache = request('cache', ['answers'], () => answer({ content: [] }))
  const after = await through(watch, allower(), cache)
  expect([after.called.value, after.sent, seen]).toEqual([{ content: [] }, [], ['watch']])
  const eager = plug('eager', ['answers', 'decides'], { onRequest: () => answer({ content: [] }) })
  expect(code((await through(eager)).called)).toBe('plugin-failed')
  expect((await through(cache)).called.value).toEqual({ content: [] })
  const denier = request('late', [], () => deny('denied', 'no'))
  expect(code((await through(allower(), cache, denier)).called)).toBe('denied')
})

test('onSealed is the last chance to refuse, and a recorder that cannot record takes it', async () => {
  const audit = plug('audit', ['records'], { onSealed: () => deny('not-recorded', 'the gateway could not record this request') })
  const { called, sent } = await through(audit, allower())
  expect([code(called), sent, called.exchange.decision?.outcome]).toEqual(['not-recorded', [], 'deny'])
})
