// Every name that telemetry shows, in one place: the semantic conventions of OpenTelemetry for MCP and GenAI, and our own beside them.

/** Of spans. What begins with `mcpgw.` is ours. Source: opentelemetry.io/docs/specs/semconv/gen-ai/mcp. */
export const SPAN = {
  method: 'mcp.method.name',
  protocol: 'mcp.protocol.version',
  uri: 'mcp.resource.uri',
  operation: 'gen_ai.operation.name',
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  arguments: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
  errorType: 'error.type',
  rpcStatus: 'rpc.response.status_code',
  transport: 'network.transport',
  address: 'server.address',
  port: 'server.port',
  callId: 'mcpgw.call_id',
  server: 'mcpgw.server',
  serverVersion: 'mcpgw.server_version',
  outcome: 'mcpgw.outcome',
  code: 'mcpgw.code',
  decidedBy: 'mcpgw.decided_by',
  plugin: 'mcpgw.plugin',
  hook: 'mcpgw.hook',
} as const

export const RESOURCE = { name: 'service.name', version: 'service.version', instance: 'service.instance.id' } as const
export const SCOPE = 'mcpgw'
export const TOOL_ERROR = 'tool_error'
export const EXECUTE_TOOL = 'execute_tool'

/** Metrics that the conventions name otherwise than `/metrics`; all others keep their names. */
export const METRICS: Readonly<Record<string, string>> = {
  mcpgw_operation_duration_seconds: 'mcp.server.operation.duration',
  mcpgw_server_operation_duration_seconds: 'mcp.client.operation.duration',
}

/** Attributes of metrics, by their labels. */
export const LABELS: Readonly<Record<string, string>> = {
  method: SPAN.method,
  tool: SPAN.tool,
  server: SPAN.server,
  server_version: SPAN.serverVersion,
  outcome: SPAN.outcome,
  code: SPAN.code,
  plugin: SPAN.plugin,
  hook: SPAN.hook,
}
