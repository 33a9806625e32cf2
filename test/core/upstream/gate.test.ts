// The gate of a server: never more under way than its limit, in order, fair, nobody lost, whatever comes in whatever order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPromise } from '../../../core/awaitable.ts'
import { Cancel } from '../../../core/cancel.ts'
import { errorAnswer } from '../../../core/mcp/error-answer.ts'
import { Json } from '../../../core/mcp/json.ts'
import type { AdminEvent, Answer } from '../../../core/plugin/index.ts'
import { createGate, type Gate } from '../../../core/upstream/gate.ts'
import { createLogBook, createManualClock } from './manual-clock.ts'

const DONE: Answer = { kind: 'result', payload: Json.of({}) }
const FAILED = errorAnswer('upstream-timeout')
const free = { backedUp: false }

function setUp(concurrency: number, queue: number, callMs = 1000) {
  const clock = createManualClock()
  const told: AdminEvent[] = []
  const gate = createGate({
    server: { id: 's', limits: { concurrency, queue }, timeout: { startMs: 0, callMs, idleMs: 0 } },
    clock,
    log: createLogBook().log,
    random: () => 0,
    onEvent: event => told.push(event),
  })
  return { clock, gate, told }
}

interface Visit {
  readonly name: string
  readonly cancel: Cancel
  /** `in`: it has a place. Else the code of its answer. */
  outcome: string | undefined
  place: number
}

/** A call that comes to the gate. */
function visit(gate: Gate, name: string, owner = '', lane = free, bytes = 0): Visit {
  const one: Visit = { name, cancel: new Cancel(), outcome: undefined, place: 0 }
  const take = (entry: number | Answer) => {
    if (one.outcome !== undefined) throw new Error(`${name} was settled twice`)
    one.outcome = typeof entry === 'number' ? 'in' : entry.code
    if (typeof entry === 'number') one.place = entry
  }
  const entry = gate.enter(lane, { cancel: one.cancel, owner }, bytes)
  if (isPromise(entry)) void entry.then(take)
  else take(entry)
  return one
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('places', () => {
  it('are taken at once while there are some; the next wait in order, and are refused where too many do', async () => {
    const { gate } = setUp(2, 2)
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(name => visit(gate, name)) as [Visit, Visit, Visit, Visit, Visit]
    expect([a, b, c, d, e].map(one => one.outcome)).toEqual(['in', 'in', undefined, undefined, 'upstream-busy'])
    expect(gate.view).toMatchObject({ underWay: 2, waiting: 2, busy: 1 })
    gate.leave(a.place, DONE, 0)
    await settled()
    expect([c, d].map(one => one.outcome)).toEqual(['in', undefined])
  })

  it('without a limit are never short, and with a queue of 0 nobody waits', () => {
    const open = setUp(0, 0)
    expect(Array.from({ length: 5000 }, (_, i) => visit(open.gate, `${i}`)).every(one => one.outcome === 'in')).toBe(true)
    const strict = setUp(1, 0)
    expect([visit(strict.gate, 'a').outcome, visit(strict.gate, 'b').outcome]).toEqual(['in', 'upstream-busy'])
  })

  it('are given up by a waiting call that is cancelled, and by one that has waited as long as a call may take', async () => {
    const { gate, clock } = setUp(1, 5)
    const first = visit(gate, 'first')
    const [cancelled, late, last] = [visit(gate, 'cancelled'), visit(gate, 'late'), visit(gate, 'last')]
    cancelled.cancel.cancel('changed my mind')
    await settled()
    expect(cancelled.outcome).toBe('cancelled')
    clock.advance(1000)
    await settled()
    expect([late.outcome, last.outcome]).toEqual(['upstream-busy', 'upstream-busy'])
    gate.leave(first.place, DONE, 0)
    expect(gate.view).toMatchObject({ underWay: 0, waiting: 0, breaker: 'closed' })
  })

  it('go around among callers: one who sends hundreds delays himself', async () => {
    const { gate } = setUp(1, 100)
    const first = visit(gate, 'first', 'greedy')
    for (let i = 0; i < 50; i++) visit(gate, `greedy-${i}`, 'greedy')
    const other = visit(gate, 'other', 'modest')
    gate.leave(first.place, DONE, 0)
    await settled()
    expect(other.outcome).toBe(undefined)
    gate.leave(0, DONE, 0)
    await settled()
    expect(other.outcome).toBe('in')
  })

  it('to wait at are not for one caller alone: a full queue gives up the newest of whoever has the most there', async () => {
    const { gate } = setUp(1, 4)
    visit(gate, 'first', 'greedy')
    const greedy = Array.from({ length: 4 }, (_, i) => visit(gate, `greedy-${i}`, 'greedy'))
    const [b, c] = [visit(gate, 'b', 'modest'), visit(gate, 'c', 'modest')]
    await settled()
    expect(greedy.map(one => one.outcome)).toEqual([undefined, undefined, 'upstream-busy', 'upstream-busy'])
    expect([b, c].map(one => one.outcome)).toEqual([undefined, undefined])
    expect(['greedy', 'modest'].map(owner => visit(gate, 'more', owner).outcome)).toEqual(['upstream-busy', 'upstream-busy'])
  })

  it('tell for how long the oldest call has waited for one, where many do', async () => {
    const { gate, clock } = setUp(1, 10)
    const first = visit(gate, 'first', 'a')
    expect(gate.waitedMs(1)).toBe(0)
    visit(gate, 'second', 'a')
    clock.advance(100)
    visit(gate, 'third', 'b')
    clock.advance(50)
    expect([gate.waitedMs(1), gate.waitedMs(2), gate.waitedMs(3)]).toEqual([150, 150, 0])
    gate.leave(first.place, DONE, 0)
    await settled()
    expect(gate.waitedMs(1)).toBe(50)
  })

  it('to wait at are bounded in bytes too', () => {
    const { gate } = setUp(1, 1000)
    visit(gate, 'first')
    const waiting = Array.from({ length: 10 }, (_, i) => visit(gate, `${i}`, '', free, 16 * 1024 * 1024))
    expect(waiting.filter(one => one.outcome === undefined)).toHaveLength(4)
  })
})

describe('back-pressure', () => {
  it('holds the calls of a lane that is backed up, and no others', async () => {
    const { gate } = setUp(10, 10)
    const slow = { backedUp: true }
    const held = visit(gate, 'held', '', slow)
    const other = visit(gate, 'other')
    await settled()
    expect([held.outcome, other.outcome]).toEqual([undefined, 'in'])
    slow.backedUp = false
    gate.review()
    await settled()
    expect(held.outcome).toBe('in')
  })

  it('lets one call after the other through: what the one sends may fill the pipe again', async () => {
    const { gate } = setUp(10, 10)
    const lane = { backedUp: true }
    const calls = ['a', 'b', 'c'].map(name => visit(gate, name, '', lane))
    lane.backedUp = false
    gate.review()
    lane.backedUp = true
    await settled()
    expect(calls.map(one => one.outcome)).toEqual(['in', undefined, undefined])
  })

  it('is a failure of the server where it lasts as long as a call may take', async () => {
    const { gate, clock } = setUp(0, 100)
    const calls = Array.from({ length: 20 }, (_, i) => visit(gate, `${i}`, '', { backedUp: true }))
    clock.advance(1000)
    await settled()
    expect(new Set(calls.map(one => one.outcome))).toEqual(new Set(['upstream-unavailable']))
    expect(gate.view.breaker).toBe('open')
  })
})

describe('the breaker', () => {
  it('refuses whoever waits when it opens, tries one call, and tells each change', async () => {
    const { gate, clock, told } = setUp(20, 10)
    const calls = Array.from({ length: 20 }, (_, i) => visit(gate, `${i}`))
    const waiting = visit(gate, 'waiting', '', { backedUp: true })
    for (const { place } of calls) gate.leave(place, FAILED, 0)
    await settled()
    expect(waiting.outcome).toBe('upstream-unavailable')
    expect(gate.view).toMatchObject({ breaker: 'open', waiting: 0 })
    expect(visit(gate, 'refused').outcome).toBe('upstream-unavailable')
    clock.advance(500)
    const trial = visit(gate, 'trial')
    expect([trial.outcome, visit(gate, 'beside').outcome]).toEqual(['in', 'upstream-unavailable'])
    gate.leave(trial.place, DONE, 0)
    expect(visit(gate, 'after').outcome).toBe('in')
    expect(told.map(({ type, detail }) => [type, detail.from, detail.to])).toEqual([
      ['server.breaker', 'closed', 'open'],
      ['server.breaker', 'open', 'half-open'],
      ['server.breaker', 'half-open', 'closed'],
    ])
  })

  it('counts no error of the server itself, and nothing that we ended', () => {
    const { gate } = setUp(0, 0)
    const own: Answer = { kind: 'error', payload: Json.of({ code: -32603, message: 'mine' }) }
    for (let i = 0; i < 100; i++) gate.leave(visit(gate, `${i}`).place, own, 0)
    for (let i = 0; i < 100; i++) gate.leave(visit(gate, `${i}`).place, errorAnswer('cancelled'), 0)
    for (let i = 0; i < 100; i++) gate.leave(visit(gate, `${i}`).place, undefined, 0)
    expect(gate.view.breaker).toBe('closed')
  })
})

describe('whatever comes in whatever order', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('come' as const), owner: fc.nat(3), lane: fc.nat(2) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(), good: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(1200) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('press' as const), lane: fc.nat(2), backedUp: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  )

  it('never more than N are under way, each caller is served in order, each call is settled once, and nobody is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.nat(6), fc.array(step, { maxLength: 120 }), async (limit, places, steps) => {
        const { gate, clock } = setUp(limit, places)
        const lanes = [{ backedUp: false }, { backedUp: false }, { backedUp: false }]
        const all: (Visit & { line: string })[] = []
        const inside = new Set<Visit>()
        const look = () => {
          for (const one of all) if (one.outcome === 'in' && !left.has(one)) inside.add(one)
          expect(inside.size).toBeLessThanOrEqual(limit)
          expect(gate.view.underWay).toBeLessThanOrEqual(limit)
          expect(gate.view.waiting).toBeLessThanOrEqual(places)
          // Of one caller on one lane, nobody is in before one who came earlier and still waits.
          const waiting = new Set<string>()
          for (const one of all) {
            if (one.outcome === undefined) waiting.add(one.line)
            else if (one.outcome === 'in') expect(waiting.has(one.line)).toBe(false)
          }
        }
        const left = new Set<Visit>()
        for (const [i, one] of steps.entries()) {
          if (one.do === 'come')
            all.push(Object.assign(visit(gate, `${i}`, `${one.owner}`, lanes[one.lane]), { line: `${one.owner} ${one.lane}` }))
          else if (one.do === 'answer' && inside.size > 0) {
            const found = [...inside][one.which % inside.size]!
            inside.delete(found)
            left.add(found)
            gate.leave(found.place, one.good ? DONE : FAILED, 0)
          } else if (one.do === 'cancel' && all.length > 0) all[one.which % all.length]!.cancel.cancel('x')
          else if (one.do === 'pass') clock.advance(one.ms)
          else if (one.do === 'press') {
            lanes[one.lane]!.backedUp = one.backedUp
            if (!one.backedUp) gate.review()
          } else if (one.do === 'turn') await settled()
          if (one.do === 'turn') look()
        }
        for (const lane of lanes) lane.backedUp = false
        gate.review()
        for (;;) {
          await settled()
          look()
          if (inside.size === 0) break
          for (const one of inside) {
            inside.delete(one)
            left.add(one)
            gate.leave(one.place, DONE, 0)
          }
        }
        expect(all.filter(one => one.outcome === undefined)).toEqual([])
        expect(gate.view).toMatchObject({ underWay: 0, waiting: 0 })
      }),
      { numRuns: 300 },
    )
  })
})
