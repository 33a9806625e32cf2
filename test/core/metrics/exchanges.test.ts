// What exchanges add to the metrics: by whom a series can be made, and what each number means.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stateOf } from '../../../core/exchange.ts'
import { createGuard } from '../../../core/guard.ts'
import { Json } from '../../../core/mcp/json.ts'
import { observeExchanges } from '../../../core/metrics/exchanges.ts'
import { createMetrics, type MetricsRegistry } from '../../../core/metrics.ts'
import { createPipeline, type Pipeline } from '../../../core/pipeline.ts'
import type { Outcome, Resource } from '../../../core/plugin/index.ts'
import { createFakeClock } from '../../../core/testing/index.ts'
import { arrival } from '../pipeline/stage.ts'

const answered: Outcome = { kind: 'answered', answer: { kind: 'result', payload: Json.of({}) }, isToolError: false }
const denied = (code: string): Outcome => ({ kind: 'denied', decision: { outcome: 'deny', by: [], obligations: [], code } })
const definition = Json.of({ name: 'read' })
const known: Resource = { kind: 'call', server: 'files', tool: 'read', definition }

interface World {
  readonly metrics: MetricsRegistry
  readonly pipeline: Pipeline
  end(outcome: Outcome, about?: { resource?: Resource; action?: string; tookMs?: number; serverMs?: number }): Promise<void>
  samples(name: string): string[]
}

function open(): World {
  const metrics = createMetrics()
  const clock = createFakeClock()
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const observer = observeExchanges(metrics.core, clock)
  const pipeline = createPipeline({ plugins: [], guard: createGuard({ clock, limitMs: 5_000 }), log, observer })
  return {
    metrics,
    pipeline,
    async end(outcome, { resource = known, action = 'tools/call', tookMs = 0, serverMs = 0 } = {}) {
      const x = pipeline.openExchange({ ...arrival({}), resource, action, mono: clock.mono() })
      stateOf(x).serverMs = serverMs
      if (tookMs > 0) await clock.advance(tookMs)
      pipeline.settle(x, outcome)
    },
    samples: name =>
      metrics
        .render()
        .split('\n')
        .filter(line => line.startsWith(name)),
  }
}

const sum = (samples: readonly string[]): number => samples.reduce((all, line) => all + Number(line.split(' ').at(-1)), 0)

test('calls are counted by server, tool and how they ended', async () => {
  const world = open()
  await world.end(answered)
  await world.end({ ...answered, isToolError: true })
  await world.end({ ...answered, isInputRequired: true })
  await world.end(denied('denied'))
  await world.end({ kind: 'failed', cause: 'timeout', code: 'upstream-timeout' })
  await world.end({ kind: 'cancelled', by: 'client' })
  await world.end(answered)
  expect(world.samples('mcpgw_calls_total{')).toEqual([
    'mcpgw_calls_total{server="files",tool="read",outcome="answered"} 2',
    'mcpgw_calls_total{server="files",tool="read",outcome="tool-error"} 1',
    'mcpgw_calls_total{server="files",tool="read",outcome="input-required"} 1',
    'mcpgw_calls_total{server="files",tool="read",outcome="denied"} 1',
    'mcpgw_calls_total{server="files",tool="read",outcome="failed"} 1',
    'mcpgw_calls_total{server="files",tool="read",outcome="cancelled"} 1',
  ])
  expect(world.samples('mcpgw_errors_total{')).toEqual([
    'mcpgw_errors_total{code="denied"} 1',
    'mcpgw_errors_total{code="upstream-timeout"} 1',
  ])
})

test('calls of several versions of a server are told apart, also where only the name of its version changes', async () => {
  const world = open()
  for (const version of ['1.0', '2.0', '2.0', undefined]) {
    const about = version === undefined ? known : { ...known, version, definition: Json.of({ name: 'read' }) }
    await world.end(answered, { resource: about })
  }
  await world.end(answered, { resource: { ...known, version: '3.0' } })
  expect(world.samples('mcpgw_calls_total{')).toEqual([
    'mcpgw_calls_total{server="files",server_version="1.0",tool="read",outcome="answered"} 1',
    'mcpgw_calls_total{server="files",server_version="2.0",tool="read",outcome="answered"} 2',
    'mcpgw_calls_total{server="files",tool="read",outcome="answered"} 1',
    'mcpgw_calls_total{server="files",server_version="3.0",tool="read",outcome="answered"} 1',
  ])
})

test('a call is counted once, however often it is said to have ended', () => {
  const { pipeline, samples } = open()
  const x = pipeline.openExchange({ ...arrival({}), resource: known })
  for (let i = 0; i < 3; i++) pipeline.settle(x, answered)
  expect(samples('mcpgw_calls_total{')).toEqual(['mcpgw_calls_total{server="files",tool="read",outcome="answered"} 1'])
})

test('100,000 tools that a client invents are one series, and none of them is named', async () => {
  const { metrics, pipeline, samples } = open()
  for (let i = 0; i < 100_000; i++) {
    const resource: Resource = { kind: 'call', server: `s${i % 7919}`, tool: `invented-${i}` }
    pipeline.settle(
      pipeline.openExchange({ ...arrival({}), resource, action: i % 2 ? 'tools/call' : `invented/${i}` }),
      denied('unknown-tool'),
    )
  }
  expect(samples('mcpgw_calls_total{')).toEqual(['mcpgw_calls_total{server="other",tool="other",outcome="denied"} 100000'])
  expect(samples('mcpgw_operation_duration_seconds_count')).toEqual([
    'mcpgw_operation_duration_seconds_count{method="other",outcome="denied"} 50000',
    'mcpgw_operation_duration_seconds_count{method="tools/call",outcome="denied"} 50000',
  ])
  expect(metrics.render()).not.toContain('invented')
  expect(metrics.render().split('\n').length).toBeLessThan(200)
})

test('a server that names its tools anew all the time makes a bounded number of series, and takes no place of another', async () => {
  const world = open()
  for (let i = 0; i < 5_000; i++) {
    const tool = `tool-${i}`
    await world.end(answered, { resource: { kind: 'call', server: 'odd', tool, definition: Json.of({ name: tool }) } })
  }
  await world.end(answered)
  const samples = world.samples('mcpgw_calls_total{')
  expect(samples).toHaveLength(202)
  expect(sum(samples)).toBe(5_001)
  expect(samples).toContain('mcpgw_calls_total{server="odd",tool="other",outcome="answered"} 4800')
  expect(samples).toContain('mcpgw_calls_total{server="files",tool="read",outcome="answered"} 1')
})

test('a tool that is defined anew stays the series that it was', async () => {
  const world = open()
  for (let i = 0; i < 3; i++) await world.end(answered, { resource: { ...known, definition: Json.of({ name: 'read', title: `${i}` }) } })
  expect(world.samples('mcpgw_calls_total{')).toEqual(['mcpgw_calls_total{server="files",tool="read",outcome="answered"} 3'])
})

describe('the time that the gateway itself takes', () => {
  test('is what the server did not take', async () => {
    const world = open()
    await world.end(answered, { tookMs: 120, serverMs: 117 })
    expect(world.samples('mcpgw_overhead_seconds_count')).toEqual(['mcpgw_overhead_seconds_count 1'])
    expect(sum(world.samples('mcpgw_overhead_seconds_sum'))).toBeCloseTo(0.003)
    expect(world.samples('mcpgw_operation_duration_seconds_sum')).toEqual([
      'mcpgw_operation_duration_seconds_sum{method="tools/call",outcome="answered"} 0.12',
    ])
  })

  test('is not told of what went to no server, nor of what is answered while the server still works', async () => {
    const world = open()
    await world.end(denied('denied'), { tookMs: 5 })
    await world.end({ ...answered, isInputRequired: true }, { tookMs: 50, serverMs: 2 })
    expect(world.samples('mcpgw_overhead_seconds_count')).toEqual(['mcpgw_overhead_seconds_count 0'])
  })
})

test('whatever is asked, each exchange is counted once, and every method is one of MCP or other', async () => {
  const one = fc.record({ tool: fc.string(), isKnown: fc.boolean(), action: fc.oneof(fc.string(), fc.constantFrom('ping', 'tools/list')) })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 300 }), async asked => {
      const world = open()
      for (const { tool, isKnown, action } of asked) {
        const resource: Resource = { kind: 'call', server: 's', tool, ...(isKnown && { definition: Json.of({ name: tool }) }) }
        await world.end(answered, { resource, action })
      }
      expect(sum(world.samples('mcpgw_calls_total{'))).toBe(asked.length)
      const counts = world.samples('mcpgw_operation_duration_seconds_count')
      expect(sum(counts)).toBe(asked.length)
      const methods = counts.map(line => /method="([^"]*)"/.exec(line)?.[1] ?? '')
      expect(['other', 'ping', 'tools/list']).toEqual(expect.arrayContaining(methods))
    }),
  )
})
