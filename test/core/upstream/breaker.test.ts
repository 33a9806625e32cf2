// When calls are kept away from a server, and how it gets them back: all on a clock that the test turns.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Breaker, type CallEnd, createBreaker } from '../../../core/upstream/breaker.ts'
import { createManualClock } from './manual-clock.ts'

function setUp(random: () => number = () => 0) {
  const clock = createManualClock()
  const changes: string[] = []
  const breaker = createBreaker({ clock, random, onChange: (from, to, why) => changes.push(`${from} > ${to}: ${why}`) })
  return { clock, changes, breaker }
}

function end(breaker: Breaker, how: CallEnd, times = 1): void {
  for (let i = 0; i < times; i++) breaker.ended(breaker.period, how)
}

/** Opened by twenty failures; the pause is 500 ms where the dice say 0. */
function opened(random?: () => number) {
  const set = setUp(random)
  end(set.breaker, 'failed', 20)
  return set
}

describe('closed', () => {
  it('lets everything through until the twentieth failure in a row', () => {
    const { breaker, changes } = setUp()
    end(breaker, 'failed', 19)
    expect([breaker.state, breaker.knock()]).toEqual(['closed', 0])
    end(breaker, 'failed')
    expect(changes).toEqual(['closed > open: 20 calls in a row failed'])
    expect([breaker.knock(), breaker.retryAfterMs]).toEqual([500, 500])
  })

  it('opens at half of twenty calls within ten seconds, and not at half of nineteen', () => {
    const { breaker, changes, clock } = setUp()
    for (let i = 0; i < 9; i++) {
      end(breaker, 'good')
      end(breaker, 'failed')
      clock.advance(500)
    }
    end(breaker, 'failed')
    expect(breaker.state).toBe('closed')
    end(breaker, 'failed')
    expect(changes).toEqual(['closed > open: 11 of 20 calls failed'])
  })

  it('forgets what is more than ten seconds old', () => {
    const { breaker, clock } = setUp()
    for (let round = 0; round < 20; round++) {
      end(breaker, 'failed', 9)
      end(breaker, 'good')
      clock.advance(11_000)
    }
    expect(breaker.state).toBe('closed')
  })

  it('learns nothing from calls that say nothing', () => {
    const { breaker } = setUp()
    for (let i = 0; i < 19; i++) {
      end(breaker, 'neither')
      end(breaker, 'failed')
    }
    expect(breaker.state).toBe('closed')
    end(breaker, 'failed')
    expect(breaker.state).toBe('open')
  })
})

describe('open', () => {
  it('lets nothing through before the pause is over, and then exactly one call', () => {
    const { breaker, clock } = opened()
    clock.advance(499)
    expect(breaker.knock()).toBe(1)
    clock.advance(1)
    expect([breaker.knock(), breaker.state]).toEqual([0, 'half-open'])
    expect([breaker.knock(), breaker.knock()]).toEqual([1000, 1000])
  })

  it('is closed by the trial that succeeds and opened again by the one that fails', () => {
    const { breaker, clock, changes } = opened()
    clock.advance(500)
    breaker.knock()
    end(breaker, 'failed')
    expect(breaker.state).toBe('open')
    clock.advance(1000)
    breaker.knock()
    end(breaker, 'good')
    expect([breaker.state, breaker.knock()]).toEqual(['closed', 0])
    expect(changes.map(change => change.split(':')[0])).toEqual([
      'closed > open',
      'open > half-open',
      'half-open > open',
      'open > half-open',
      'half-open > closed',
    ])
    end(breaker, 'failed', 19)
    expect(breaker.state).toBe('closed')
  })

  it('does not heed calls that began before', () => {
    const { breaker, clock } = setUp()
    const { period } = breaker
    end(breaker, 'failed', 20)
    breaker.ended(period, 'good')
    expect(breaker.state).toBe('open')
    clock.advance(500)
    breaker.knock()
    breaker.ended(period, 'failed')
    breaker.ended(period, 'good')
    expect(breaker.state).toBe('half-open')
  })

  it('tries another call where the trial was cancelled, or lasts longer than the longest pause', () => {
    const { breaker, clock } = opened()
    clock.advance(500)
    breaker.knock()
    end(breaker, 'neither')
    expect([breaker.knock(), breaker.knock()]).toEqual([0, 1000])
    clock.advance(30_000)
    expect([breaker.knock(), breaker.knock()]).toEqual([0, 1000])
  })

  it('pauses longer each time, never shorter than half of the bound and never longer than the cap', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 1, maxLength: 12 }), dice => {
        let thrown = 0
        const { breaker, clock } = opened(() => dice[thrown++ % dice.length]!)
        for (let failures = 1; failures < 12; failures++) {
          const bound = Math.min(30_000, 1000 * 2 ** (failures - 1))
          expect(breaker.retryAfterMs).toBeGreaterThanOrEqual(bound / 2)
          expect(breaker.retryAfterMs).toBeLessThanOrEqual(bound)
          clock.advance(breaker.retryAfterMs)
          expect(breaker.knock()).toBe(0)
          end(breaker, 'failed')
        }
      }),
    )
  })
})
