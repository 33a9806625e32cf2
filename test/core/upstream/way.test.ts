// The way of a request: what counts against the server and what does not, once more where nothing was delivered, and the place given back whatever happens.
import { describe, expect, it } from 'vitest'
import { errorAnswer } from '../../../core/mcp/error-answer.ts'
import { Json } from '../../../core/mcp/json.ts'
import type { Answer } from '../../../core/plugin/index.ts'
import { createGate } from '../../../core/upstream/gate.ts'
import { faultAnswer, goThrough, type Way } from '../../../core/upstream/way.ts'
import { createLogBook, createManualClock } from './manual-clock.ts'

const DONE: Answer = { kind: 'result', payload: Json.of({}) }
const crashed = errorAnswer('upstream-crashed')
const unseen = faultAnswer('s', { code: 'upstream-unavailable', detail: '', undelivered: true })

function setUp(kind: 'child' | 'remote', attempt: (way: { losses: number; isClosed: boolean }) => Answer) {
  const gate = createGate({
    server: { id: 's', limits: { concurrency: 1, queue: 0 }, timeout: { startMs: 0, callMs: 0, idleMs: 0 } },
    clock: createManualClock(),
    log: createLogBook().log,
  })
  let attempts = 0
  const way: { -readonly [K in keyof Way]: Way[K] } = {
    server: { id: 's', kind } as Way['server'],
    backedUp: false,
    losses: 0,
    isClosed: false,
    async attempt() {
      attempts++
      return attempt(way)
    },
  }
  const go = (method = 'tools/call') => goThrough(gate, way, method, undefined, {})
  return { gate, go, attempts: () => attempts }
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T | undefined> {
  let last: T | undefined
  for (let i = 0; i < count; i++) last = await work()
  return last
}

describe('what counts', () => {
  const lose = (way: { losses: number }): Answer => {
    way.losses++
    return crashed
  }

  it('is not a call that went down with a process: its supervisor keeps account of that', async () => {
    const { gate, go } = setUp('child', lose)
    await times(50, go)
    expect(gate.view).toMatchObject({ breaker: 'closed', underWay: 0 })
  })

  it('is a call that went down with a connection to a remote server, and one that failed alone', async () => {
    for (const { gate, go } of [setUp('remote', lose), setUp('child', () => errorAnswer('upstream-timeout'))]) {
      await times(20, go)
      expect(gate.view).toMatchObject({ breaker: 'open', underWay: 0 })
    }
  })

  it('is not what we close ourselves', async () => {
    const { gate, go } = setUp('remote', way => {
      way.isClosed = true
      return errorAnswer('upstream-unavailable')
    })
    await times(50, go)
    expect(gate.view.breaker).toBe('closed')
  })

  it('is no plumbing and no stream: these need no place', async () => {
    const { gate, go } = setUp('remote', () => errorAnswer('upstream-timeout'))
    for (const method of ['initialize', 'server/discover', 'ping', 'subscriptions/listen']) await times(20, () => go(method))
    expect(gate.view).toMatchObject({ breaker: 'closed', underWay: 0 })
  })
})

it('a request of which the server saw nothing is made once more, and no more', async () => {
  const answers = [unseen, DONE]
  const lucky = setUp('remote', () => answers.shift()!)
  expect([await lucky.go(), lucky.attempts()]).toEqual([DONE, 2])
  const unlucky = setUp('remote', () => unseen)
  expect([(await unlucky.go()).code, unlucky.attempts()]).toEqual(['upstream-unavailable', 2])
})

it('a bug on the way gives the place back', async () => {
  const { gate, go } = setUp('remote', () => {
    throw new Error('bug')
  })
  await expect(go()).rejects.toThrow('bug')
  expect(gate.view).toMatchObject({ underWay: 0, breaker: 'closed' })
})

it('a fault that knows when it is over says so to the caller, in whole seconds', () => {
  const { payload } = faultAnswer('s', { code: 'upstream-unavailable', detail: 'hidden', retryAfterMs: 1200 })
  expect(payload.value).toMatchObject({ data: { mcpgw: { code: 'upstream-unavailable', server: 's', retryAfter: 2 } } })
  expect(JSON.stringify(payload.value)).not.toContain('hidden')
})
