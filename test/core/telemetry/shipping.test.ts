// How spans and metrics come to the collector: in batches, again where that helps, within bounds, and never in the way of a call.
import { describe, expect, test } from 'vitest'
import { createMetrics } from '../../../core/metrics.ts'
import type { OutgoingRequest } from '../../../core/plugin/index.ts'
import { createShipping, type Shipping } from '../../../core/telemetry/shipping.ts'
import type { Span } from '../../../core/telemetry/span.ts'
import { createManualClock } from '../upstream/manual-clock.ts'

type Reply = number | Error | 'never'

function open({ metricsMs = 0, replies = [] as Reply[] } = {}) {
  const clock = createManualClock()
  const metrics = createMetrics()
  const asked: { url: string; request: OutgoingRequest }[] = []
  const conditions: (string | undefined)[] = []
  const headers = { authorization: 'Bearer key' }
  const teller = { version: '1', instance: 'a/b' }
  const shipping = createShipping({ url: 'https://collector.example/', headers, metricsMs, clock, teller })
  const begin = (): void =>
    shipping.begin({
      metrics,
      health: { component: () => ({ set: condition => void conditions.push(condition?.why), remove() {} }) },
      outgoing: {
        async request(url, request) {
          asked.push({ url, request })
          const reply = replies.shift() ?? 200
          if (reply === 'never') return new Promise(() => {})
          if (reply instanceof Error) throw reply
          return { status: reply, header: () => undefined, body: new Uint8Array() }
        },
      },
      scrub: text => text.replaceAll('hunter2', '[secret]'),
    })
  // biome-ignore lint/suspicious/noExplicitAny: looked into freely
  const bodies = (): any[] => asked.map(({ request }) => JSON.parse(request.body ?? ''))
  const sizes = (): number[] => bodies().map(body => body.resourceSpans[0].scopeSpans[0].spans.length)
  const counted = (fate: string): number =>
    Number(new RegExp(`^mcpgw_telemetry_spans_total\\{fate="${fate}"\\} (\\d+)$`, 'm').exec(metrics.render())?.[1])
  return { clock, metrics, shipping, begin, asked, bodies, sizes, counted, conditions }
}

const span = (name = 'x'): Span => ({
  context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true },
  parentId: 'c'.repeat(16),
  name,
  kind: 'client',
  start: 1_700_000_000_000.25,
  end: 1_700_000_000_001.5,
  attributes: { one: 'two', three: 4, none: undefined },
  links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16), isSampled: false }],
})
const keep = (shipping: Shipping, count: number): void => {
  for (let i = 0; i < count; i++) shipping.keep(span())
}
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('spans go out as OTLP has them, after a second or as soon as a batch is full', async () => {
  const world = open()
  world.begin()
  world.shipping.keep(span('hunter2'))
  expect(world.asked).toEqual([])
  world.clock.advance(1000)
  await settle()
  expect(world.asked[0]).toMatchObject({
    url: 'https://collector.example/v1/traces',
    request: { method: 'POST', origin: 'configured', headers: { authorization: 'Bearer key', 'content-type': 'application/json' } },
  })
  const [resource] = world.bodies()[0].resourceSpans
  expect(resource.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'mcpgw' } })
  expect(resource.scopeSpans[0].spans).toEqual([
    {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      parentSpanId: 'c'.repeat(16),
      flags: 1,
      name: '[secret]',
      kind: 3,
      startTimeUnixNano: '1700000000000250000',
      endTimeUnixNano: '1700000000001500000',
      attributes: [
        { key: 'one', value: { stringValue: 'two' } },
        { key: 'three', value: { intValue: '4' } },
      ],
      links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
      status: {},
    },
  ])
  keep(world.shipping, 600)
  await settle()
  expect(world.sizes()).toEqual([1, 256, 256, 88])
  expect([world.counted('exported'), world.counted('dropped')]).toEqual([601, 0])
})

test('what came before the start of the gateway was whole goes out, too', async () => {
  const world = open()
  keep(world.shipping, 3)
  world.begin()
  world.clock.advance(1000)
  await settle()
  keep(world.shipping, 1)
  world.clock.advance(1000)
  await settle()
  expect(world.sizes().reduce((sum, size) => sum + size, 0)).toBe(4)
})

describe('a collector that does not take them', () => {
  test.each([429, 503, new Error('https://collector.example: ECONNREFUSED')])('for now (%s) gets the same ones later', async reply => {
    const world = open({ replies: [reply, reply] })
    world.begin()
    keep(world.shipping, 2)
    world.clock.advance(1000)
    await settle()
    keep(world.shipping, 1)
    world.clock.advance(2000)
    await settle()
    world.clock.advance(4000)
    await settle()
    expect(world.sizes()).toEqual([2, 3, 3])
    expect([world.counted('exported'), world.counted('dropped')]).toEqual([3, 0])
    expect(world.conditions.at(0)).toMatch(/collector/)
    expect(world.conditions.at(-1)).toBeUndefined()
  })

  test('for good is not asked again for the same, and what is lost is counted', async () => {
    const world = open({ replies: [400] })
    world.begin()
    keep(world.shipping, 2)
    world.clock.advance(1000)
    await settle()
    expect([world.counted('exported'), world.counted('dropped')]).toEqual([0, 2])
    expect(world.conditions).toEqual(['the collector answers /v1/traces with 400'])
  })

  test('that answers nothing: what does not fit any more is dropped and counted, and nobody waits', async () => {
    const world = open({ replies: ['never'] })
    world.begin()
    keep(world.shipping, 10_000)
    await settle()
    expect(world.asked).toHaveLength(1)
    expect(world.counted('dropped')).toBe(10_000 - 8192)
    const stopping = world.shipping.stop(2000)
    world.clock.advance(2000)
    await stopping
  })

  test('is asked no more than once in its pause, however much there is to send', async () => {
    const world = open({ replies: [503, 503] })
    world.begin()
    keep(world.shipping, 256)
    await settle()
    keep(world.shipping, 2000)
    await settle()
    expect(world.asked).toHaveLength(1)
  })
})

test('the last spans go out at the stop', async () => {
  const world = open()
  world.begin()
  keep(world.shipping, 300)
  await world.shipping.stop(2000)
  expect(world.sizes()).toEqual([256, 44])
  world.clock.advance(60_000)
  expect(world.asked).toHaveLength(2)
})

test('metrics are told once in their time, under the names of the conventions', async () => {
  const world = open({ metricsMs: 60_000 })
  world.metrics.core
    .counter('calls_total', 'Calls.', ['server', 'server_version', 'tool', 'outcome'])
    .inc({ server: 's', server_version: '2.0', tool: 't', outcome: 'answered' }, 2)
  const seconds = world.metrics.core.histogram('operation_duration_seconds', 'Time.', [0.1, 1], ['method'])
  for (const value of [0.05, 0.5, 7]) seconds.observe(value, { method: 'tools/call' })
  world.begin()
  for (let i = 0; i < 2; i++) {
    world.clock.advance(60_000)
    await settle()
  }
  expect(world.asked.map(({ url }) => url)).toEqual(Array.from({ length: 2 }, () => 'https://collector.example/v1/metrics'))
  const { metrics } = world.bodies()[1].resourceMetrics[0].scopeMetrics[0]
  const at = { startTimeUnixNano: '1700000000000000000', timeUnixNano: '1700000120000000000' }
  expect(metrics).toContainEqual({
    name: 'mcpgw_calls_total',
    description: 'Calls.',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        {
          ...at,
          attributes: [
            { key: 'mcpgw.server', value: { stringValue: 's' } },
            { key: 'mcpgw.server_version', value: { stringValue: '2.0' } },
            { key: 'gen_ai.tool.name', value: { stringValue: 't' } },
            { key: 'mcpgw.outcome', value: { stringValue: 'answered' } },
          ],
          asDouble: 2,
        },
      ],
    },
  })
  expect(metrics).toContainEqual({
    name: 'mcp.server.operation.duration',
    description: 'Time.',
    unit: 's',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          ...at,
          attributes: [{ key: 'mcp.method.name', value: { stringValue: 'tools/call' } }],
          count: '3',
          sum: 7.55,
          explicitBounds: [0.1, 1],
          bucketCounts: ['1', '1', '1'],
        },
      ],
    },
  })
})
