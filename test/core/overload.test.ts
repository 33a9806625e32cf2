// T66: with more to do than it can, the gateway refuses new calls at once and in few bytes, finishes what it has, and does not flap.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHealth, type Health } from '../../core/health.ts'
import type { Message } from '../../core/mcp/message.ts'
import { createOverload, type Overload } from '../../core/overload.ts'
import { call, connectHttp, connectStdio, send } from './data-plane/clients.ts'
import { startTestGateway } from './data-plane/gateway.ts'
import { closeAfterEach } from './data-plane/opened.ts'
import { startStdioUpstream } from './data-plane/stdio-upstream.ts'
import { createLogBook, createManualClock } from './upstream/manual-clock.ts'

const opened = closeAfterEach()

interface World {
  readonly overload: Overload
  readonly health: Health
  readonly now: { heap: number; pending: number; waitedMs: number }
  /** So many looks in a row. */
  look(times: number, lagMs?: number, busy?: number): void
}

function create(): World {
  const health = createHealth({ clock: createManualClock() })
  const now = { heap: 0.1, pending: 20, waitedMs: 0 }
  const limits = { lagMs: 500, heap: 0.9, pending: 100 }
  const overload = createOverload({
    limits,
    log: createLogBook().log,
    health,
    pending: () => now.pending,
    waitedMs: () => now.waitedMs,
    heap: () => now.heap,
  })
  const look = (times: number, lagMs = 0, busy = 1): void => {
    for (let i = 0; i < times; i++) overload.look(lagMs, busy)
  }
  return { overload, health, now, look }
}

/** Looks from the last excess to the end of an overload. */
const TO_END = 10

describe('an overload', () => {
  it.each<[string, Partial<World['now']>, number, number, RegExp]>([
    ['the event loop is late', {}, 500, 3, /500 ms late/],
    ['memory is short', { heap: 0.9 }, 0, 5, /90 % of the heap/],
    ['too many calls are under way', { pending: 100 }, 0, 5, /100 calls/],
    ['calls wait long while the loop is never idle', { waitedMs: 500 }, 0, 5, /calls wait 500 ms, and the event loop is never idle/],
  ])('begins where %s for some looks, and health is failing and says why', (_, burden, lagMs, looks, why) => {
    const { overload, health, now, look } = create()
    look(2, 500)
    look(1)
    Object.assign(now, burden)
    look(looks - 1, lagMs)
    expect(overload.isOver).toBe(false)
    look(1, lagMs)
    expect(overload.isOver).toBe(true)
    expect(health.view()).toMatchObject({
      status: 'failing',
      components: [{ name: 'overload', why: expect.stringMatching(why) as string }],
    })
  })

  it('is none where one long answer holds the loop up', () => {
    const { overload, look } = create()
    for (let i = 0; i < 20; i++) {
      look(2, 10_000)
      look(1, 0)
    }
    expect(overload.isOver).toBe(false)
  })

  it('is none where the loop is late and few calls are under way, as at a start on a busy machine', () => {
    const { overload, now, look } = create()
    now.pending = 9
    look(20, 10_000)
    expect(overload.isOver).toBe(false)
    now.pending = 10
    look(3, 500)
    expect(overload.isOver).toBe(true)
  })

  it('is none where calls wait long for a server and the loop has time for others', () => {
    const { overload, now, look } = create()
    now.waitedMs = 60_000
    look(100, 0, 0.9)
    expect(overload.isOver).toBe(false)
    look(4, 0, 1)
    look(1, 0, 0.9)
    look(4, 0, 1)
    expect(overload.isOver).toBe(false)
  })

  it('ends after ten looks well below all bounds, and not while one is just below', () => {
    const { overload, health, now, look } = create()
    look(5, 600)
    look(100, 450)
    expect(overload.isOver).toBe(true)
    now.pending = 90
    look(100)
    expect(overload.isOver).toBe(true)
    now.pending = 0
    look(9)
    expect(overload.isOver).toBe(true)
    look(1)
    expect([overload.isOver, health.view().status]).toEqual([false, 'ok'])
  })

  it('does not come and go with what swings around a bound: each state lasts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 300 }), lags => {
        const { overload, look } = create()
        const states = lags.map(lag => {
          look(1, lag)
          return overload.isOver
        })
        const changes = states.flatMap((state, i) => (i > 0 && state !== states[i - 1] ? [i] : []))
        for (const [i, at] of changes.entries())
          expect(at - (changes[i - 1] ?? -1)).toBeGreaterThanOrEqual(states[at] === true ? 3 : TO_END)
      }),
    )
  })
})

/** An event loop that does what has come since the last turn, and looks when it gets round to it: all in virtual time, ms. Counts from where the overload is seen. */
function simulate(
  { overload, look }: World,
  { load, callMs, refusalMs, seconds }: Readonly<Record<'load' | 'callMs' | 'refusalMs' | 'seconds', number>>,
) {
  const request = { kind: 'request', method: 'tools/call' } as Message
  const waits = { answered: [] as number[], refused: [] as number[] }
  let [now, last, due, come, seen] = [0, 0, 100, 0, 0]
  while (now < seen + seconds * 1000) {
    const since = now - last
    last = now
    come += (since * load) / callMs
    for (; come >= 1; come--) {
      const isShed = overload.sheds(request)
      now += isShed ? refusalMs : callMs
      if (seen > 0) waits[isShed ? 'refused' : 'answered'].push(since + now - last)
    }
    now = Math.max(now, last + 1)
    if (now < due) continue
    look(1, now - due)
    due = now + 100
    if (seen === 0 && overload.isOver) seen = now
  }
  const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0
  return { goodput: (waits.answered.length * callMs) / (now - seen), answered: median(waits.answered), refused: median(waits.refused) }
}

describe('the calls that are taken while there is too much', () => {
  it.each([
    [1.2, 0.8],
    [2, 0.8],
    [4, 0.5],
  ])(
    'of %d times as many as can be answered are as many as there is time for beside the refusals, and nobody waits long',
    (load, share) => {
      const { goodput, answered, refused } = simulate(create(), { load, callMs: 0.5, refusalMs: 0.05, seconds: 60 })
      expect(goodput).toBeGreaterThan(share)
      expect(answered).toBeLessThanOrEqual(1000)
      expect(refused).toBeLessThanOrEqual(1000)
    },
  )

  it('are few again as soon as a bound is near, and more with each look that finds the loop idle', () => {
    const { overload, now, look } = create()
    const takenOf = (calls: number): number => Array.from({ length: calls }, () => overload.shedsCall()).filter(isShed => !isShed).length
    look(3, 500)
    expect(takenOf(100)).toBe(0)
    look(3)
    expect(takenOf(100)).toBe(30)
    look(1, 60)
    expect(takenOf(1000)).toBeCloseTo(210, -1)
    now.waitedMs = 60
    look(1)
    expect(takenOf(1000)).toBeCloseTo(147, -1)
    look(1, 0, 0.5)
    expect(takenOf(1000)).toBeCloseTo(247, -1)
    now.heap = 0.8
    look(1)
    expect(takenOf(100)).toBe(0)
  })
})

describe('a gateway that is overloaded', () => {
  it('refuses new calls with 503 and when to come again, finishes what is under way, and answers lists; then it takes calls again', async () => {
    const { overload, look } = create()
    const upstream = opened(await startStdioUpstream({ on: { 'tools/call': () => {} } }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], overload }))
    const client = await connectHttp(gateway)
    const before = client.post(call(1, 'up__echo'))
    const first = await upstream.next('tools/call')
    look(5, 500)

    const refused = await client.post(call(2, 'up__echo'))
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    expect(JSON.parse(refused.text)).toMatchObject({ id: 2, error: { data: { mcpgw: { code: 'overloaded', retryAfter: 1 } } } })
    expect((await client.ask('tools/list')).result.tools).toHaveLength(1)
    expect((await client.ask('ping')).result).toEqual({})
    const stranger = await connectHttp(gateway)
    expect((await stranger.ask('tools/list')).result.tools).toHaveLength(1)
    const rest = await send(gateway, 'POST', '/tools/up__echo/call', '{}', { 'content-type': 'application/json' })
    expect(rest.status).toBe(503)
    expect(JSON.parse(rest.text())).toMatchObject({ error: { code: 'overloaded', retryAfter: 1 } })
    first.result('{"content":[],"whose":"first"}')
    expect(JSON.parse((await before).text).result.whose).toBe('first')

    look(10, 0)
    const after = client.post(call(3, 'up__echo'))
    ;(await upstream.next('tools/call')).result('{"content":[],"whose":"third"}')
    expect(JSON.parse((await after).text).result.whose).toBe('third')
  })

  it('refuses them on standard streams too, and says there when to come again', async () => {
    const { overload, look } = create()
    const upstream = opened(await startStdioUpstream())
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], overload, stdio: true }))
    const client = await connectStdio(gateway)
    look(5, 500)
    expect((await client.ask('tools/call', { name: 'up__echo' })).error).toMatchObject({
      code: 42037,
      data: { mcpgw: { code: 'overloaded', retryAfter: 1 } },
    })
    expect((await client.ask('tools/list')).result.tools).toHaveLength(1)
    look(10, 0)
    expect((await client.ask('tools/call', { name: 'up__echo' })).result).toBeDefined()
    expect(upstream.of('tools/call')).toHaveLength(1)
  })

  it('does not read a long message to refuse it', async () => {
    const { overload, look } = create()
    const gateway = opened(await startTestGateway({ servers: [], overload }))
    const client = await connectHttp(gateway)
    look(5, 500)
    const long = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { pad: 'x'.repeat(100_000) } })
    expect((await client.post(long)).status).toBe(503)
    expect((await client.post('{"jsonrpc":"2.0","id":1,"method":"ping"}')).status).toBe(200)
  })
})
