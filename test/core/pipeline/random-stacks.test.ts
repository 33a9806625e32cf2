// Random plugin stacks against a naive model: what goes wrong in any hook never lets a call through, and nobody is forgotten.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import type { Answer } from '../../../core/plugin/index.ts'
import { allow, answer, type Capability, deny, type Hooks, identify, pass, rewrite } from '../../../core/plugin/index.ts'
import { createFakeClock } from '../../../core/testing/index.ts'
import { alice, arrival, loaded, PASSING, pipelineOf } from './stage.ts'

const FAULTS = [
  'throws',
  'rejects',
  'hangs',
  'late-allow',
  'nothing',
  'garbage',
  'wrong-kind',
  'identifies',
  'rewrites',
  'answers',
] as const
type Act = (typeof FAULTS)[number] | 'passes' | 'passes-later' | 'denies' | 'allows'

interface Part {
  readonly can: readonly Capability[]
  readonly request: Act | undefined
  readonly sealed: Act | undefined
  readonly response: Act | undefined
}

const benign: fc.Arbitrary<Act> = fc.constantFrom('passes', 'passes-later', 'allows')
const act: fc.Arbitrary<Act | undefined> = fc.oneof(
  { weight: 6, arbitrary: benign },
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('denies', ...FAULTS) },
)
const part: fc.Arbitrary<Part> = fc.record({
  can: fc.subarray<Capability>(['decides', 'records', 'decides']),
  request: act,
  sealed: act,
  response: act,
})
const stack = fc.array(part, { maxLength: 6 })

const AFTER_THE_LIMIT = 6_000

function perform(what: Act, clock: ReturnType<typeof createFakeClock>): unknown {
  switch (what) {
    case 'passes':
      return pass
    case 'passes-later':
      return new Promise(resolve => clock.after(10, () => resolve({ kind: 'pass' })))
    case 'denies':
      return deny('denied', 'no')
    case 'allows':
      return allow(['r'])
    case 'throws':
      throw new Error('thrown')
    case 'rejects':
      return Promise.reject(new Error('rejected'))
    case 'hangs':
      return new Promise(() => {})
    case 'late-allow':
      return new Promise(resolve => clock.after(AFTER_THE_LIMIT, () => resolve(allow())))
    case 'nothing':
      return undefined
    case 'garbage':
      return { kind: 'allow', rules: 'all', obligations: null }
    case 'wrong-kind':
      return { kind: 'narrow', keep: [true] }
    case 'identifies':
      return identify(alice)
    case 'rewrites':
      return rewrite(PASSING)
    case 'answers':
      return answer({ content: [] })
  }
}

/** The model: what should come of it, in the plainest words. `entered`: plugins that had their turn. */
function predict(parts: readonly Part[]): { called: boolean; entered: number; shown: boolean } {
  const isPass = (what: Act | undefined): boolean => what === undefined || what === 'passes' || what === 'passes-later'
  let allowed = !parts.some(({ can }) => can.includes('decides'))
  for (const [i, { can, request }] of parts.entries()) {
    const mayAllow = request === 'allows' && can.includes('decides')
    if (!isPass(request) && !mayAllow) return { called: false, entered: i + 1, shown: false }
    allowed ||= mayAllow
  }
  const called = allowed && parts.every(({ sealed }) => isPass(sealed))
  return { called, entered: parts.length, shown: called && parts.every(({ response }) => isPass(response)) }
}

async function play(parts: readonly Part[]) {
  const clock = createFakeClock()
  const settled: number[] = []
  const plugins = parts.map(({ can, request, sealed, response }, i) => {
    const hook = (what: Act | undefined) => (what === undefined ? {} : { run: () => perform(what, clock) as never })
    const hooks: Hooks = {
      ...(request && { onRequest: hook(request).run! }),
      ...(sealed && { onSealed: hook(sealed).run! }),
      ...(response && { onResponse: hook(response).run! }),
      onSettled: () => void settled.push(i),
    }
    return loaded(`p${i}`, [...new Set(can)], hooks)
  })
  const pipeline = pipelineOf(plugins, clock)
  const x = pipeline.openExchange(arrival(PASSING))
  const finish = async <T>(work: T | Promise<T>): Promise<T> => {
    if (!(work instanceof Promise)) return work
    let done = false
    void work.finally(() => {
      done = true
    })
    while (!done) await clock.advance(2_500)
    return work
  }
  const admission = await finish(pipeline.admit(x))
  let shown: Answer | undefined
  if (admission.kind === 'sealed') {
    shown = await finish(pipeline.respond(x, { kind: 'result', payload: Json.of({ content: [] }) }))
    pipeline.settle(x, { kind: 'answered', answer: shown, isToolError: false })
  } else pipeline.settle(x, { kind: 'denied', decision: x.decision! })
  await pipeline.drain()
  // Whatever was promised late arrives now, and must change nothing.
  await clock.advance(2 * AFTER_THE_LIMIT)
  return { admission, shown, settled, x }
}

test('no stack of plugins, however broken, lets through what the model refuses, or forgets to tell a plugin', async () => {
  let calls = 0
  await fc.assert(
    fc.asyncProperty(stack, async parts => {
      const expected = predict(parts)
      const { admission, shown, settled, x } = await play(parts)
      expect(admission.kind).toBe(expected.called ? 'sealed' : 'refused')
      expect(x.decision?.outcome).toBe(expected.called ? 'allow' : 'deny')
      expect(x.params.value).toEqual(PASSING)
      expect(x.sent).toBe(x.params)
      if (shown !== undefined) expect([shown.kind, shown.code]).toEqual(expected.shown ? ['result', undefined] : ['error', 'withheld'])
      const told = parts.flatMap(({ can }, i) => (i < expected.entered || can.includes('records') ? [i] : []))
      expect(settled).toEqual(told.toReversed())
      if (expected.called) calls += 1
    }),
    { seed: 2026, numRuns: 4_000 },
  )
  // The property would hold of a gateway that refuses everything.
  expect(calls).toBeGreaterThan(400)
})
