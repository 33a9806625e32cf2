// Rules 3 and 5 of the plugin contract on the way back: an answer that cannot be cleared is withheld.
import { expect, test } from 'vitest'
import { deny, pass, rewrite } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'
import { faults, through } from './stage.ts'

test('answers pass the hooks in reverse order; each sees what the one before it made of them', async () => {
  const seen: unknown[] = []
  const audit = plug('audit', ['records'], {
    onResponse: (_x, { payload }) => {
      seen.push(payload.value)
      return pass
    },
  })
  const redact = plug('redact', ['masks'], { onResponse: () => rewrite({ content: [{ type: 'text', text: '[card]' }] }) })
  const world = await harness({ plugins: [audit, redact] })
  world.upstream.on('s', () => ({ content: [{ type: 'text', text: '4111' }] }))
  const { value } = await world.call('s', 't')
  expect(value).toEqual({ content: [{ type: 'text', text: '[card]' }] })
  expect(seen).toEqual([value])
})

test.each(faults)('an onResponse that %s withholds the answer, and the caller learns that the call was made', async (_what, fault) => {
  const seen: unknown[] = []
  const audit = plug('audit', ['records'], {
    onResponse: (_x, given) => {
      seen.push(given.code)
      return pass
    },
  })
  const world = await harness({ plugins: [audit, plug('redact', ['masks'], { onResponse: fault })] })
  const calling = world.call('s', 't', { card: '4111' })
  for (let i = 0; i < 3; i++) await world.clock.advance(5_000)
  const called = await calling
  expect(called.answer).toMatchObject({ kind: 'error', code: 'withheld' })
  expect(called.value).toMatchObject({
    code: 42011,
    message: 'the answer was withheld; the call was made',
    data: { mcpgw: { code: 'withheld', callId: 'call-1' } },
  })
  expect(seen).toEqual(['withheld'])
  expect(called.outcome).toMatchObject({ kind: 'failed', cause: 'withheld' })
})

test('a denied answer gives the public reason, and a masker may only mask it', async () => {
  const denied = await through(plug('dlp', [], { onResponse: () => deny('denied', 'contains a key') }))
  expect(denied.called.value).toMatchObject({ message: 'the answer was withheld: contains a key; the call was made' })
  const adds = await through(plug('redact', ['masks'], { onResponse: () => rewrite({ content: [], extra: [1] }) }))
  expect(adds.called.answer?.code).toBe('withheld')
  const may = await through(plug('shape', ['rewrites-response'], { onResponse: () => rewrite({ content: [], extra: [1] }) }))
  expect(may.called.value).toEqual({ content: [], extra: [1] })
  const mayNot = await through(plug('shape', [], { onResponse: () => rewrite({ content: [] }) }))
  expect(mayNot.called.answer?.code).toBe('withheld')
})

test("the tool's own isError is told beside its result, and masking does not change it", async () => {
  const seen: unknown[] = []
  const audit = plug('audit', ['records'], {
    onResponse: (_x, { isToolError }) => {
      seen.push(isToolError)
      return pass
    },
  })
  const redact = plug('redact', ['masks'], { onResponse: (_x, { payload }) => rewrite(payload.value) })
  const world = await harness({ plugins: [audit, redact] })
  for (const isError of [true, false, 'true', undefined]) {
    world.upstream.on('s', () => ({ content: [{ type: 'text', text: '"isError":true' }], ...(isError !== undefined && { isError }) }))
    await world.call('s', 't')
  }
  expect(seen).toEqual([true, false, false, false])
})
