// One stream of changes a lane: acknowledged or not, broken or ended at once, it is opened again without haste, and what was missed is told once.
import { describe, expect, it } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import type { Answer } from '../../../core/plugin/index.ts'
import type { LaneCall } from '../../../core/upstream/calls.ts'
import { createListening, type Listening } from '../../../core/upstream/listening.ts'
import { createManualClock } from './manual-clock.ts'

interface Opened {
  readonly filter: unknown
  readonly call: LaneCall
  end(): void
}

function setUp(capabilities: object) {
  const clock = createManualClock()
  const streams: Opened[] = []
  const told: string[] = []
  let missed = 0
  const listening: Listening = createListening({
    capabilities: Json.of(capabilities as never),
    clock,
    listen: (params, call) =>
      new Promise<Answer>(resolve => {
        const end = (): void => resolve({ kind: 'result', payload: Json.of({}) })
        call.cancel?.listen(end)
        streams.push({ filter: params.get('notifications')!.value, call, end })
      }),
    notified: method => void told.push(method),
    missed: () => void missed++,
  })
  const settle = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  const acknowledge = ({ call, filter }: Opened): void =>
    call.notified!('notifications/subscriptions/acknowledged', Json.of({ notifications: filter } as never))
  return { clock, streams, told, listening, settle, acknowledge, missed: () => missed }
}
const TOOLS = { listChanged: true }

describe('a stream of changes', () => {
  it('is opened for what the server says that it tells of, and not at all where that is nothing', async () => {
    const some = setUp({ tools: TOOLS, prompts: {} })
    const none = setUp({ tools: {} })
    await some.settle()
    await none.settle()
    expect(some.streams.map(one => one.filter)).toEqual([{ toolsListChanged: true }])
    expect(none.streams).toEqual([])
  })

  it('that the server ends as soon as it has begun is opened again with growing pauses, not for ever each second', async () => {
    const { clock, streams, settle, acknowledge, missed } = setUp({ tools: TOOLS })
    for (let second = 0; second < 120; second++) {
      await settle()
      const open = streams.at(-1)!
      if (!open.call.cancel!.cancelled) {
        acknowledge(open)
        open.end()
        await settle()
      }
      clock.advance(1000)
    }
    expect(streams.length).toBeLessThan(10)
    expect(missed()).toBe(streams.length - 1)
  })

  it('that held for a while and broke is opened again soon, and what was missed is told once it is there', async () => {
    const { clock, streams, settle, acknowledge, missed } = setUp({ tools: TOOLS })
    await settle()
    for (let i = 0; i < 3; i++) {
      acknowledge(streams.at(-1)!)
      expect(missed()).toBe(i)
      clock.advance(20_000)
      streams.at(-1)!.end()
      await settle()
      expect(missed()).toBe(i)
      clock.advance(1000)
      await settle()
      expect(streams).toHaveLength(i + 2)
    }
  })

  it('takes in the subscriptions of one turn together, and gives up the old stream only when the new one is acknowledged', async () => {
    const { streams, listening, settle, acknowledge } = setUp({ tools: TOOLS, resources: { subscribe: true } })
    await settle()
    acknowledge(streams[0]!)
    const both = [listening.subscribe('a:1'), listening.subscribe('a:2')]
    await settle()
    expect(streams).toHaveLength(2)
    expect(streams[1]!.filter).toEqual({ toolsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] })
    expect([streams[0]!.call.cancel!.cancelled, listening.promises({ capability: 'tools' } as never)]).toEqual([false, true])
    streams[1]!.call.notified!(
      'notifications/subscriptions/acknowledged',
      Json.of({ notifications: { toolsListChanged: true, resourceSubscriptions: ['a:2'] } }),
    )
    expect(await Promise.all(both)).toEqual([false, true])
    expect(streams[0]!.call.cancel!.cancelled).toBe(true)
    listening.close()
    await settle()
    expect(listening.pending).toBe(0)
  })

  it('tells nothing before it is acknowledged, and nothing after it was given up', async () => {
    const { streams, told, listening, settle, acknowledge } = setUp({ tools: TOOLS })
    await settle()
    const say = (): void => streams[0]!.call.notified!('notifications/tools/list_changed', undefined)
    say()
    expect(told).toEqual([])
    acknowledge(streams[0]!)
    say()
    expect(told).toEqual(['notifications/tools/list_changed'])
    listening.close()
    say()
    expect(told).toHaveLength(1)
  })
})
