// The metrics of a whole gateway: what clients do is counted, and what they are told apart by is nothing of theirs.
import { expect, test } from 'vitest'
import { createMetrics } from '../../../core/metrics.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()

test.each(['stdio', 'http'] as const)('calls to a %s server, names that nobody knows, sessions and time are in them', async kind => {
  const upstream = opened(kind === 'stdio' ? await startStdioUpstream() : await startHttpUpstream())
  const metrics = createMetrics()
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], metrics }))
  const client = await connectHttp(gateway)
  await client.ask('tools/list')
  for (let i = 0; i < 3; i++) await client.ask('tools/call', { name: 'up__echo', arguments: {} })
  for (let i = 0; i < 20; i++) await client.ask('tools/call', { name: `up__invented-${i}`, arguments: {} })
  await client.ask('invented/method')
  const lines = (): string[] => metrics.render().split('\n')
  // The end of a call is counted after its reply.
  await until(() => lines().includes('mcpgw_operation_duration_seconds_count{method="tools/call",outcome="denied"} 20'))
  for (const line of [
    'mcpgw_calls_total{server="up",tool="echo",outcome="answered"} 3',
    'mcpgw_calls_total{server="other",tool="other",outcome="denied"} 20',
    'mcpgw_errors_total{code="unknown-tool"} 20',
    'mcpgw_operation_duration_seconds_count{method="initialize",outcome="answered"} 1',
    'mcpgw_operation_duration_seconds_count{method="tools/list",outcome="answered"} 1',
    'mcpgw_operation_duration_seconds_count{method="tools/call",outcome="answered"} 3',
    'mcpgw_sessions{era="legacy"} 1',
    'mcpgw_sessions{era="modern"} 0',
    'mcpgw_requests_under_way 0',
  ])
    expect(lines()).toContain(line)
  expect(metrics.render()).not.toContain('invented')
  const counted = (name: string): number =>
    Number(
      lines()
        .find(line => line.startsWith(`${name} `))
        ?.split(' ')[1],
    )
  expect(counted('mcpgw_overhead_seconds_count')).toBeGreaterThanOrEqual(3)
  expect(counted('mcpgw_server_operation_duration_seconds_count{server="up"}')).toBeGreaterThanOrEqual(4)
})
