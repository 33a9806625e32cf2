// The law of billing, over random histories: whatever fails and whenever it is killed, nothing is ever billed twice, and in the end all is billed.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Worker } from '../../../plugins/stripe/worker.ts'
import { createWorld, DAY, HOUR } from './billing-world.ts'
import type { Fault } from './fake-stripe.ts'

type Step =
  | { readonly kind: 'calls'; readonly tenant: string; readonly back: number; readonly calls: number }
  | { readonly kind: 'time'; readonly minutes: number }
  | { readonly kind: 'fault'; readonly fault: Fault | undefined; readonly requests: number }
  | { readonly kind: 'kill'; readonly write: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'step'; readonly hours: number }

const faults: readonly Fault[] = [
  '500',
  '500-after',
  '429',
  'hang-after',
  'reset',
  'reset-after',
  'nonsense-after',
  'a-number-after',
  'html-502',
]
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('calls' as const),
      tenant: fc.constantFrom('acme', 'globex'),
      back: fc.nat(6),
      calls: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), minutes: fc.constantFrom(1, 20, 90, 600, 1500) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom(undefined, ...faults),
      requests: fc.constantFrom(1, 2, 5, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      write: fc.nat(6),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('step' as const), hours: fc.constantFrom(-30, -5, -1) }) },
)

const CUSTOMERS = { acme: 'cus_acme', globex: 'cus_globex' }
const RUNS = Number(process.env.FUZZ_RUNS ?? 8)

test.each(['v1', 'v2'] as const)(
  '%s: over faults, kills and clocks that are set back, never more than was used is billed, and in the end all of it',
  async api => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async steps => {
        // Real time, by which the fake goes, and the clock of the gateway's machine.
        const w = await createWorld({ config: { api } })
        let left = 0
        let fault: Fault | undefined
        w.stripe.fault = () => (left-- > 0 ? fault : undefined)
        let writes = Number.POSITIVE_INFINITY
        let when: 'before' | 'after' = 'before'
        const start = (): Worker => w.start((_, at) => at === when && --writes < 0)
        let worker = start()
        const expectNoneTwice = (): void => {
          for (const [tenant, customer] of Object.entries(CUSTOMERS)) {
            expect(w.stripe.total(customer, 'tool_calls')).toBeLessThanOrEqual(w.usage.total(tenant))
          }
        }
        const pass = async (ms: number): Promise<void> => {
          for (const until = w.clock.mono() + ms; w.clock.mono() < until; ) {
            const wait = await worker.pass()
            w.clock.pass(Math.max(wait, ms / 8))
            if (writes < 0) {
              writes = Number.POSITIVE_INFINITY
              worker = start()
            }
          }
          expectNoneTwice()
        }
        for (const one of steps) {
          if (one.kind === 'calls') w.usage.add({ at: w.clock.now() - one.back * HOUR, calls: one.calls, tenant: one.tenant })
          else if (one.kind === 'time') await pass(one.minutes * 60_000)
          else if (one.kind === 'fault') [fault, left] = [one.fault, one.requests]
          else if (one.kind === 'kill') [writes, when] = [one.write, one.when]
          else w.clock.step(one.hours * HOUR)
        }
        left = 0
        await pass(4 * HOUR)
        await pass(2 * DAY)
        await pass(2 * DAY)
        for (const [tenant, customer] of Object.entries(CUSTOMERS))
          expect(w.stripe.total(customer, 'tool_calls')).toBe(w.usage.total(tenant))
        expect(await w.lines()).toEqual([])
        await w.close()
      }),
      { numRuns: RUNS },
    )
  },
  240_000,
)
