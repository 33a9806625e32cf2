// What every exchange adds to the metrics: by method, by tool, and the gateway's own time. No word that a caller invents becomes a label.
import { type LiveExchange, stateOf } from '../exchange.ts'
import { METHODS } from '../mcp/methods.ts'
import type { CoreMetrics } from '../metrics.ts'
import type { Clock, Outcome, Refused } from '../plugin/index.ts'
import type { Distribution } from './distribution.ts'
import { OTHER } from './series.ts'

/** Hears how exchanges begin and end, and of what never became one. */
export interface Observer {
  opened?(x: LiveExchange): void
  settled(x: LiveExchange, outcome: Outcome): void
  refused(refused: Refused): void
}

export const ENDS = ['answered', 'tool-error', 'input-required', 'denied', 'failed', 'cancelled'] as const
export type End = (typeof ENDS)[number]

/** Seconds. Spec: OpenTelemetry semantic conventions for MCP, `mcp.server.operation.duration`. */
export const OPERATION_BOUNDS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
const OVERHEAD_BOUNDS = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** Of one server so many tools are told apart: whoever names his anew all the time takes no other server's place. */
const TOOLS_OF_ONE = 200
const CAPS = { values: 5000, series: 10_000 }

type ByEnd<T> = { [E in End]?: T }

export function observeExchanges(core: CoreMetrics, clock: Pick<Clock, 'mono'>): Observer {
  const calls = core.counter('calls_total', 'Calls of tools by how they ended.', ['server', 'server_version', 'tool', 'outcome'], CAPS)
  const seconds = core.histogram('operation_duration_seconds', 'From a request to the end of its answer.', OPERATION_BOUNDS, [
    'method',
    'outcome',
  ])
  const overhead = core.histogram(
    'overhead_seconds',
    'Of requests that a server has answered: the time that it did not take.',
    OVERHEAD_BOUNDS,
  )
  const errors = core.counter('errors_total', 'Requests that were denied or failed, by code.', ['code'])
  const early = core.counter('refused_total', 'What was refused before it was a request that could be read, by code.', ['code'])

  const own = overhead.at()
  const durations = new Map<string, ByEnd<Distribution>>([...METHODS, 'session'].map(method => [method, {}]))
  const otherDurations: ByEnd<Distribution> = {}
  // By the definition in the catalog: whatever else a caller asks for has none.
  const known = new WeakMap<object, { readonly version: string; readonly cells: ByEnd<{ value: number }> }>()
  const unknown: ByEnd<{ value: number }> = {}
  const toolsOf = new Map<string, Set<string>>()

  function nameTool(server: string, tool: string): string {
    const tools = toolsOf.get(server) ?? new Set()
    if (tools.has(tool)) return tool
    if (tools.size >= TOOLS_OF_ONE) return OTHER
    toolsOf.set(server, tools.add(tool))
    return tool
  }

  function countCall(x: LiveExchange, outcome: End): void {
    const { resource } = x
    if (resource.kind !== 'call') return
    const { definition } = resource
    if (definition === undefined) {
      unknown[outcome] ??= calls.at({ server: OTHER, server_version: '', tool: OTHER, outcome })
      unknown[outcome].value++
      return
    }
    const { server, version = '', tool } = resource
    let found = known.get(definition)
    // A server that is only called otherwise in the config keeps its definitions.
    if (found?.version !== version) {
      found = { version, cells: {} }
      known.set(definition, found)
    }
    const { cells } = found
    cells[outcome] ??= calls.at({ server, server_version: version, tool: nameTool(server, tool), outcome })
    cells[outcome].value++
  }

  return {
    settled(x, outcome) {
      const end = endOf(outcome)
      const tookMs = clock.mono() - x.mono
      const cells = durations.get(x.action)
      const found = cells ?? otherDurations
      found[end] ??= seconds.at({ method: cells === undefined ? OTHER : x.action, outcome: end })
      found[end].observe(tookMs / 1000)
      countCall(x, end)
      const { serverMs } = stateOf(x)
      // A call that waits for its client is answered while the server still works on it.
      if (serverMs > 0 && end !== 'input-required') own.observe(Math.max(0, tookMs - serverMs) / 1000)
      const code = codeOf(outcome)
      if (code !== undefined) errors.inc({ code })
    },
    refused: ({ code }) => early.inc({ code }),
  }
}

export function endOf(outcome: Outcome): End {
  if (outcome.kind !== 'answered') return outcome.kind
  if (outcome.isInputRequired === true) return 'input-required'
  return outcome.isToolError ? 'tool-error' : 'answered'
}

function codeOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'denied') return outcome.decision.code ?? 'denied'
  return outcome.kind === 'failed' ? outcome.code : undefined
}
