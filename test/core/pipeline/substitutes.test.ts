// Answers in the place of a server: before it is asked, and where it could not be reached; what they may be, and which way they go.
import { expect, test } from 'vitest'
import { errorAnswer } from '../../../core/mcp/error-answer.ts'
import { Json } from '../../../core/mcp/json.ts'
import type { Answer, AnswerVerdict, Hooks } from '../../../core/plugin/index.ts'
import { allow, answer, pass, rewrite } from '../../../core/plugin/index.ts'
import { plug } from '../define.ts'
import { arrival, code, loaded, PASSING, pipelineOf, through } from './stage.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test.each<[string, AnswerVerdict, string]>([
  ['bytes', answer(bytes('{"content":[],"n":1.0}')), '{"content":[],"n":1.0}'],
  [
    'members beside bytes',
    answer(bytes('{"content":[],"ttlMs":9}'), { members: { ttlMs: 3, _meta: { a: 1 } } }),
    '{"content":[],"ttlMs":3,"_meta":{"a":1}}',
  ],
  ['an error', answer({ code: -32000, message: 'no' }, { isError: true }), '{"code":-32000,"message":"no"}'],
])('%s are given as they are, and the server is not asked', async (_what, verdict, expected) => {
  const { called, sent } = await through(plug('kept', ['answers'], { onRequest: () => verdict }))
  expect(sent).toEqual([])
  expect(called.answer?.payload.text).toBe(expected)
  expect(called.answer?.kind).toBe(verdict.isError === true ? 'error' : 'result')
})

test.each<[string, unknown]>([
  ['bytes that are no JSON', answer(bytes('{"content":[}'))],
  ['bytes with a member twice', answer(bytes('{"a":1,"a":1}'))],
  ['bytes of no object', answer(bytes('[]'))],
  ['an error without a code', answer({ message: 'no' }, { isError: true })],
  ['members that are no JSON', answer({ content: [] }, { members: { a: Number.NaN } })],
  ['members that are no object', { kind: 'answer', value: {}, members: 'a' }],
])('%s are a failure of the plugin, and nothing is sent', async (_what, verdict) => {
  const { called, sent } = await through(plug('kept', ['answers'], { onRequest: () => verdict as never }))
  expect([code(called), sent]).toEqual(['plugin-failed', []])
})

/** An answer on its way back through these, in config order. */
async function back(got: Answer, ...plugins: readonly (readonly [Hooks, ...('answers' | 'rewrites-response')[]])[]): Promise<Answer> {
  const pipeline = pipelineOf(plugins.map(([hooks, ...can], i) => loaded(`p${i}`, can, hooks)))
  const x = pipeline.openExchange(arrival(PASSING))
  expect((await pipeline.admit(x)).kind).toBe('sealed')
  return pipeline.respond(x, got)
}
const kept: Hooks = { onResponse: (_x, { kind }) => (kind === 'error' ? answer({ content: ['kept'] }) : pass) }

test('what stands in for a server goes the whole way back, once', async () => {
  const seen: string[] = []
  const note = (name: string): Hooks => ({
    onResponse(_x, { kind }) {
      seen.push(`${name} ${kind}`)
      return pass
    },
  })
  const shown = await back(errorAnswer('upstream-unavailable'), [note('outer')], [kept, 'answers'], [note('inner')])
  expect([shown.kind, shown.payload.text, shown.code]).toEqual(['result', '{"content":["kept"]}', undefined])
  expect(seen).toEqual(['inner error', 'inner result', 'outer result'])
})

test.each<[string, Answer, Hooks, 'answers' | 'rewrites-response']>([
  ['of another error', errorAnswer('denied'), kept, 'answers'],
  ['of an error of the server', { kind: 'error', payload: Json.of({ code: 1, message: 'x' }) }, kept, 'answers'],
  ['of a result', { kind: 'result', payload: Json.of({ content: [] }) }, { onResponse: () => answer({ content: ['kept'] }) }, 'answers'],
  ['without the capability', errorAnswer('upstream-unavailable'), kept, 'rewrites-response'],
  ['with an error', errorAnswer('upstream-crashed'), { onResponse: () => answer({ code: 1, message: 'x' }, { isError: true }) }, 'answers'],
])('nothing takes the place %s', async (_what, got, hooks, can) => {
  expect((await back(got, [hooks, can])).code).toBe('withheld')
})

test('a substitute is not replaced in its turn', async () => {
  const always: Hooks = { onResponse: () => answer({ content: ['kept'] }) }
  expect((await back(errorAnswer('upstream-timeout'), [always, 'answers'])).code).toBe('withheld')
})

const looking = (name: string, seen: (string | undefined)[]) =>
  plug(name, [], {
    onResponse(_x, { given }) {
      seen.push(given?.text)
      return pass
    },
  })

test('whoever comes after obligations and hooks can still see what the server gave', async () => {
  const seen: (string | undefined)[] = []
  const change = plug('change', ['rewrites-response'], { onResponse: (_x, { payload }) => rewrite({ ...(payload.value as object), b: 2 }) })
  const duty = plug(
    'duty',
    ['rewrites-response'],
    { discharge: (_duty, stage) => (stage.at === 'answer' ? rewrite({ a: 1 }) : pass) },
    { discharges: ['shorten'] },
  )
  const policy = plug('policy', ['decides'], { onRequest: () => allow([], [{ name: 'shorten', args: [] }]) })
  const { called, world } = await through(looking('last', seen), policy, duty, change, looking('first', seen))
  expect(called.value).toEqual({ a: 1, b: 2 })
  const raw = Json.of(
    (await world.upstream.send({ server: 'files', method: 'tools/call', params: Json.of(PASSING) }, { notify: async () => {} })).payload
      .value,
  )
  expect(seen).toEqual([raw.text, raw.text])
})

test('that a server has changed is told to every plugin, and a failing one stops nobody', async () => {
  const told: string[] = []
  const pipeline = pipelineOf([
    loaded('a', [], {
      onServerChange() {
        throw new Error('broken')
      },
    }),
    loaded('b', [], { onServerChange: ({ server, of }) => void told.push(`${server} ${of}`) }),
  ])
  pipeline.changed({ server: 'files', of: 'tools' })
  await pipeline.drain()
  expect(told).toEqual(['files tools'])
})
