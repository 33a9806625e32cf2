// Instances that are unwell get no calls: left out by what befell them, asked before they are tried, tried with one call, and never too many of them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BreakerState } from '../../../core/upstream/breaker.ts'
import { createOutliers } from '../../../core/upstream/outliers.ts'
import type { EndOfVisit } from '../../../core/upstream/pace.ts'
import { createManualClock } from './manual-clock.ts'

function setUp(count: number, comparesPace = true) {
  const clock = createManualClock()
  const breakers = Array.from({ length: count }, (): { state: BreakerState; retryAfterMs: number } => ({
    state: 'closed',
    retryAfterMs: 0,
  }))
  const told: [number, string | undefined][] = []
  const outliers = createOutliers({ clock, breakers, comparesPace, onChange: (index, why) => told.push([index, why]) })
  const call = (index: number, ms: number, end: EndOfVisit = 'good'): void => {
    const visit = outliers.begin(index)
    clock.advance(ms)
    outliers.end(index, visit, end)
  }
  const taking = () => breakers.map((_, index) => outliers.takes(index))
  return { clock, breakers, outliers, told, call, taking }
}

/** So many calls at each, which take as long as the last number says. */
function work({ call }: ReturnType<typeof setUp>, tookMs: readonly number[], rounds = 10): void {
  for (let round = 0; round < rounds; round++) for (const [index, ms] of tookMs.entries()) call(index, ms)
}

describe('one that cannot be reached', () => {
  it('gets no calls, is asked after a while, then gets one call, and all again when that is answered', () => {
    const { clock, outliers, taking, call, told } = setUp(3)
    outliers.missed(1)
    expect([taking(), outliers.isAway(1), outliers.due()]).toEqual([[true, false, true], true, undefined])
    clock.advance(500)
    expect(outliers.due()).toBe(1)
    expect(outliers.due()).toBeUndefined()
    outliers.asked(1, true)
    expect([outliers.isOnTrial(1), outliers.takes(1)]).toEqual([true, false])
    const trial = outliers.begin(1)
    expect(outliers.isOnTrial(1)).toBe(false)
    clock.advance(5)
    outliers.end(1, trial, 'good')
    expect(taking()).toEqual([true, true, true])
    call(1, 5)
    expect(told.map(([index]) => index)).toEqual([1, 1])
  })

  it('is left alone for longer each time that it is not there, up to half a minute', () => {
    const { clock, outliers } = setUp(2)
    outliers.missed(0)
    const waits: number[] = []
    for (let time = 0; time < 9; time++) {
      const before = clock.mono()
      while (outliers.due() === undefined) clock.advance(100)
      waits.push(clock.mono() - before)
      outliers.asked(0, false)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it('waits at least as long as its supervisor says, or its open breaker', () => {
    const { clock, outliers, breakers } = setUp(2)
    outliers.missed(0, 5000)
    Object.assign(breakers[1]!, { state: 'open', retryAfterMs: 7000 })
    expect([outliers.takes(1), outliers.isAway(1)]).toEqual([false, true])
    clock.advance(4999)
    expect(outliers.due()).toBeUndefined()
    clock.advance(1)
    expect(outliers.due()).toBe(0)
    clock.advance(2000)
    expect(outliers.due()).toBe(1)
  })

  it('is out again where its trial fails, and still on trial where the call says nothing', () => {
    const { clock, outliers } = setUp(2)
    outliers.missed(0)
    clock.advance(500)
    outliers.due()
    outliers.asked(0, true)
    outliers.end(0, outliers.begin(0), 'neither')
    expect(outliers.isOnTrial(0)).toBe(true)
    outliers.end(0, outliers.begin(0), 'failed')
    expect([outliers.isOnTrial(0), outliers.takes(0)]).toEqual([false, false])
  })
})

describe('one that is slow', () => {
  it('is left out when its calls take much longer than those of its peers, and whoever is bound to it stays', () => {
    const set = setUp(3)
    work(set, [10, 12, 2000])
    expect([set.taking(), set.outliers.isAway(2)]).toEqual([[true, true, false], false])
    expect(set.outliers.why(2)).toContain('much longer')
  })

  it('is left out where calls wait and none ends', () => {
    const set = setUp(3)
    work(set, [10, 10, 10])
    for (let call = 0; call < 5; call++) set.outliers.begin(2)
    for (let round = 0; round < 20; round++) work(set, [100, 100], 1)
    expect(set.taking()).toEqual([true, true, false])
    expect(set.outliers.why(2)).toContain('wait there')
  })

  it('is left out after three time-outs in a row, also where callers are not to be compared', () => {
    const set = setUp(3, false)
    work(set, [10, 10, 2000])
    expect(set.taking()).toEqual([true, true, true])
    for (let call = 0; call < 3; call++) set.call(2, 1000, 'timeout')
    expect(set.taking()).toEqual([true, true, false])
  })

  it('stays in for a few slow calls, and where its peers are as slow', () => {
    const set = setUp(3)
    work(set, [10, 10, 10])
    for (let call = 0; call < 5; call++) set.call(2, 5000)
    expect(set.taking()).toEqual([true, true, true])
    const alike = setUp(3)
    work(alike, [2000, 2100, 1900])
    expect(alike.taking()).toEqual([true, true, true])
  })

  it('comes back by a call that is fast, and not by one that is as slow as before', () => {
    const set = setUp(3)
    work(set, [10, 10, 2000])
    const trial = (ms: number): void => {
      while (set.outliers.due() === undefined) set.clock.advance(1000)
      set.outliers.asked(2, true)
      set.call(2, ms)
    }
    trial(2000)
    expect(set.outliers.takes(2)).toBe(false)
    trial(20)
    expect(set.outliers.takes(2)).toBe(true)
  })
})

describe('in any course of things', () => {
  it('for slowness at most half are out and never the last one, and one that is out has no call begun by the balancer', () => {
    const step = fc.record({
      index: fc.nat({ max: 5 }),
      ms: fc.constantFrom(1, 10, 400, 5000),
      end: fc.constantFrom<EndOfVisit[]>('good', 'good', 'good', 'timeout', 'failed', 'neither'),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 150 }), (count, steps) => {
        const { outliers, call, told, taking } = setUp(count)
        for (const { index, ms, end } of steps) {
          const due = outliers.due()
          if (due !== undefined) outliers.asked(due, ms < 400)
          if (outliers.takes(index % count) || outliers.isOnTrial(index % count)) call(index % count, ms, end)
          const out = taking().filter(takes => !takes).length
          expect(out).toBeLessThanOrEqual(Math.floor(count / 2))
          expect(taking()).toContain(true)
        }
        for (const [, why] of told) if (why !== undefined) expect(why).toMatch(/longer|timed out|wait there/)
      }),
    )
  })
})
