// Metrics: the text that Prometheus reads, and the bound on how many series a caller can make.
import { expect, test } from 'vitest'
import { createMetrics } from '../../../core/metrics.ts'

test('counters, gauges and histograms are rendered as Prometheus text, sorted by name', () => {
  const metrics = createMetrics()
  const calls = metrics.of('rate-limit').counter('calls_total', 'Calls.\nAll of them.', ['tool'])
  calls.inc({ tool: 'a"\\\n' })
  calls.inc({ tool: 'b' }, 2)
  metrics.core.gauge('open', 'Whether it is open.').set(1)
  const times = metrics.core.histogram('seconds', 'How long.', [1, 0.1])
  for (const value of [0.05, 0.1, 0.5, 7]) times.observe(value)
  expect(metrics.render()).toBe(
    [
      '# HELP mcpgw_open Whether it is open.',
      '# TYPE mcpgw_open gauge',
      'mcpgw_open 1',
      '# HELP mcpgw_rate_limit_calls_total Calls.\\nAll of them.',
      '# TYPE mcpgw_rate_limit_calls_total counter',
      'mcpgw_rate_limit_calls_total{tool="a\\"\\\\\\n"} 1',
      'mcpgw_rate_limit_calls_total{tool="b"} 2',
      '# HELP mcpgw_seconds How long.',
      '# TYPE mcpgw_seconds histogram',
      'mcpgw_seconds_bucket{le="0.1"} 2',
      'mcpgw_seconds_bucket{le="1"} 3',
      'mcpgw_seconds_bucket{le="+Inf"} 4',
      'mcpgw_seconds_sum 7.65',
      'mcpgw_seconds_count 4',
      '',
    ].join('\n'),
  )
})

test('100,000 random label values make a bounded number of series, and lose no count', () => {
  const metrics = createMetrics({ values: 50, series: 120 })
  const calls = metrics.core.counter('calls_total', 'Calls.', ['tool', 'user'])
  for (let i = 0; i < 100_000; i++) calls.inc({ tool: `tool-${i}`, user: `user-${i % 997}` })
  const samples = metrics
    .render()
    .split('\n')
    .filter(line => line.startsWith('mcpgw_calls_total{'))
  expect(samples.length).toBeLessThanOrEqual(121)
  expect(samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(100_000)
  expect(samples.some(line => line.includes('tool="other",user="other"'))).toBe(true)
})

test('the same name is the same metric; under another kind or other labels it is a bug', () => {
  const { core, render } = createMetrics()
  core.counter('calls_total', 'Calls.').inc()
  core.counter('calls_total', 'Calls.').inc()
  expect(render()).toContain('mcpgw_calls_total 2\n')
  expect(() => core.gauge('calls_total', 'Calls.')).toThrow('another kind')
  expect(() => core.counter('calls_total', 'Calls.', ['tool'])).toThrow('other labels')
  expect(() => core.counter('Calls-total', 'Calls.')).toThrow('no name')
})

test('a counter never falls', () => {
  const { core, render } = createMetrics()
  core.counter('calls_total', 'Calls.').inc({}, -5)
  expect(render()).toContain('mcpgw_calls_total 0\n')
})
