// When a server may be started again (T53, cases 38 and 39): backoff, budget, half-open probe, all on a clock that the test turns.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AdminEvent } from '../../../../core/plugin/index.ts'
import { backoffDelay } from '../../../../core/upstream/child/backoff.ts'
import { createSupervisor, type ServerHealth, type Start, type Supervisor } from '../../../../core/upstream/child/supervisor.ts'
import { createLogBook, createManualClock } from '../manual-clock.ts'

function setUp(random: () => number = () => 0.999999) {
  const clock = createManualClock()
  const told: AdminEvent[] = []
  const states: ServerHealth['state'][] = []
  const supervisor = createSupervisor({
    server: 's',
    clock,
    log: createLogBook().log,
    onEvent: event => told.push(event),
    onHealth: health => states.push(health.state),
    random,
  })
  return { clock, told, states, supervisor }
}

function start(supervisor: Supervisor): Start {
  const admission = supervisor.admitStart()
  if (admission.kind === 'refused') throw new Error(`refused for ${admission.retryAfterMs} ms`)
  admission.spawned(42)
  return admission
}

const crash = { failed: true, detail: 's: exited with code 1', code: 1, signal: null }

describe('backoff', () => {
  it('is spread over the whole doubling interval, and never longer than the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (failures, random) => {
        const delay = backoffDelay(failures, { baseMs: 250, capMs: 30_000 }, () => random)
        expect(delay).toBeCloseTo(random * Math.min(30_000, 250 * 2 ** (failures - 1)), 6)
      }),
    )
  })
})

describe('supervisor', () => {
  it('admits as many starts as are asked for while nothing has failed', () => {
    const { supervisor } = setUp()
    expect([1, 2, 3].map(() => supervisor.admitStart().kind)).toEqual(['admitted', 'admitted', 'admitted'])
  })

  it('admits no more processes at once than the limit, and another one as soon as one has ended', () => {
    const { supervisor } = setUp()
    const starts = Array.from({ length: 100 }, () => start(supervisor))
    expect(supervisor.admitStart()).toMatchObject({ kind: 'refused', full: true })
    expect(supervisor.health.lastFailure).toBe(undefined)
    starts[7]!.ended({ failed: false, detail: 'closed' })
    expect(supervisor.admitStart().kind).toBe('admitted')
  })

  it('refuses a start during the backoff and says how long it lasts', () => {
    const { clock, supervisor } = setUp()
    start(supervisor).ended(crash)
    expect(supervisor.admitStart()).toEqual({ kind: 'refused', retryAfterMs: 250, why: 'backoff after s: exited with code 1' })
    expect(supervisor.health).toMatchObject({ state: 'backoff', retryAfterMs: 250, lastExit: { code: 1, signal: null } })
    clock.advance(250)
    expect(supervisor.admitStart().kind).toBe('admitted')
  })

  it('restarts within two seconds after the first failure, whatever the dice say', () => {
    const { clock, supervisor } = setUp(() => 0.999999)
    start(supervisor).ended(crash)
    clock.advance(2000)
    expect(supervisor.admitStart().kind).toBe('admitted')
  })

  it('tries a failed server once at a time, however many callers ask', () => {
    const { clock, supervisor } = setUp()
    start(supervisor).ended(crash)
    clock.advance(1000)
    const trial = start(supervisor)
    expect(supervisor.admitStart()).toMatchObject({ kind: 'refused', retryAfterMs: 250 })
    trial.ready()
    expect(supervisor.admitStart().kind).toBe('admitted')
  })

  it('never lets a crash loop start more than ten times a minute, and gives up in between', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), fc.boolean(), (dice, getsReady) => {
        const { clock, supervisor } = setUp(() => dice.next().value!)
        const startedAt: number[] = []
        for (let step = 0; step < 6000; step++) {
          const admission = supervisor.admitStart()
          if (admission.kind === 'admitted') {
            startedAt.push(clock.mono())
            admission.spawned(1)
            if (getsReady) admission.ready()
            admission.ended(crash)
          }
          clock.advance(100)
        }
        for (const at of startedAt) expect(startedAt.filter(other => other >= at && other < at + 60_000).length).toBeLessThanOrEqual(10)
        expect(startedAt.length).toBeGreaterThan(10)
      }),
      { numRuns: 20 },
    )
  })

  it('probes a failed server once a window, half open, and recovers when it holds', () => {
    const { clock, states, supervisor, told } = setUp(() => 0)
    for (let failure = 0; failure < 10; failure++) start(supervisor).ended(crash)
    expect(supervisor.health).toMatchObject({ state: 'failed', retryAfterMs: 60_000 })
    expect(told.filter(event => event.type === 'server.failed')).toHaveLength(1)
    clock.advance(60_000)
    start(supervisor).ended(crash)
    expect(supervisor.health).toMatchObject({ state: 'failed', retryAfterMs: 60_000 })
    clock.advance(60_000)
    const probe = start(supervisor)
    expect(supervisor.admitStart()).toMatchObject({ kind: 'refused', why: 'being started again' })
    probe.ready()
    clock.advance(10_000)
    expect(supervisor.health).toMatchObject({ state: 'ready', restarts: 11 })
    probe.ended(crash)
    expect(supervisor.health.state).toBe('backoff')
    expect(states.slice(-4)).toEqual(['failed', 'starting', 'ready', 'backoff'])
  })

  it('forgets failures once a process has been ready for long enough, not sooner', () => {
    const { clock, supervisor } = setUp()
    const restart = (readyForMs: number): number => {
      const one = start(supervisor)
      one.ready()
      clock.advance(readyForMs)
      one.ended(crash)
      const wait = supervisor.health.retryAfterMs!
      clock.advance(wait)
      return wait
    }
    expect([restart(0), restart(9_999), restart(9_999), restart(10_000), restart(0)]).toEqual([250, 500, 1000, 250, 500])
  })

  it('is not fooled by a process that is ready only after it has ended', () => {
    const { clock, supervisor } = setUp()
    const one = start(supervisor)
    one.ended(crash)
    one.ready()
    expect(supervisor.health.state).toBe('backoff')
    clock.advance(20_000)
    expect(supervisor.health.state).toBe('backoff')
  })

  it('does not count an end that we brought about', () => {
    const { supervisor, told } = setUp()
    start(supervisor).ended({ failed: false, detail: 'idle', code: 0, signal: null })
    expect(supervisor.health).toMatchObject({ state: 'stopped', pids: [], restarts: 0 })
    expect(supervisor.admitStart().kind).toBe('admitted')
    expect(told).toEqual([
      { type: 'server.start', detail: { server: 's', pid: 42 } },
      { type: 'server.exit', detail: { server: 's', pid: 42, code: 0, signal: null, expected: true, detail: 'idle' } },
    ])
  })

  it('shows the best of its processes, and all of their ids', () => {
    const { supervisor } = setUp()
    const [one, two] = [start(supervisor), start(supervisor)]
    expect(supervisor.health.state).toBe('starting')
    one.ready()
    two.ended(crash)
    two.ended(crash)
    expect(supervisor.health).toMatchObject({ state: 'ready', pids: [42] })
  })

  it('starts at once where an operator says that the cause is mended', () => {
    const { supervisor } = setUp()
    for (let failure = 0; failure < 10; failure++) {
      const admission = supervisor.admitStart()
      if (admission.kind === 'admitted') admission.ended(crash)
    }
    expect(supervisor.admitStart().kind).toBe('refused')
    supervisor.forgive()
    expect(supervisor.admitStart().kind).toBe('admitted')
  })
})
