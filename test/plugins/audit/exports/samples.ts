// One record of each type as a gateway writes it, opened, with fixed values; and what a hostile one may look like.
import { type AuditEvent, createEvent, type Fields } from '../../../../plugins/audit/exports/event.ts'

const at = Date.UTC(2026, 10, 28, 12, 0, 0, 250)
const caller = {
  tenant: 'acme',
  subject: '0123456789abcdef01234567',
  actor: { id: 'agent-1', name: 'Agent One', method: 'api-key', keyId: 'k1' },
  source: { ip: '192.0.2.7' },
}
const session = { client: { name: 'inspector', version: '1.0' }, transport: 'http', protocolVersion: '2025-11-25' }
const tool = { action: 'tools/call', server: 'files', tool: 'read' }
const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' }
const allowed = { outcome: 'allow', rules: ['policy/read-only'], bundle: 'sha256:aa' }
const operator = { subject: '0123456789abcdef01234567', actor: { id: 'cli:root', method: 'os-user', uid: 0 }, success: true }
const denial = { outcome: 'deny', rules: ['default'], code: 'unauthenticated', reason: 'a credential is needed' }

const bodies: Readonly<Record<string, Fields>> = {
  intent: {
    callId: 'c1',
    ...caller,
    ...session,
    ...tool,
    ...trace,
    toolDefHash: 'sha256:bb',
    decision: allowed,
    argsBytes: 12,
    args: { path: '/a' },
  },
  outcome: {
    callId: 'c1',
    ...caller,
    ...tool,
    ...trace,
    outcome: 'answered',
    resultBytes: 40,
    redactions: { email: 1 },
    durationMs: 12.345,
    upstreamMs: 10,
  },
  'outcome.withheld': { callId: 'c1', ...caller, ...tool, outcome: 'withheld', errorCode: 'withheld', durationMs: 1 },
  refusal: {
    callId: 'c2',
    ...caller,
    ...session,
    action: 'resources/read',
    server: 'files',
    uri: 'file:///etc/passwd',
    decision: { outcome: 'deny', rules: ['policy/no-secrets'], code: 'denied', reason: 'not for you' },
    durationMs: 0.5,
  },
  'refusal.repeated': {
    subject: 'ffffffffffffffffffffffff',
    actor: null,
    source: { ip: '2001:db8::1' },
    transport: 'http',
    http: { method: 'POST', path: '/mcp', status: 401 },
    decision: denial,
    count: 42,
    firstAt: at - 10_000,
    lastAt: at,
  },
  'stream.start': { instance: 'gw', gatewayVersion: '0.1.0', detail: { after: null, closes: [], plugins: ['audit'] } },
  'stream.stop': {},
  'clock.step': { detail: { stepMs: -5000 } },
  'audit.recovered': { detail: { why: 'disk full', late: 1, dropped: 0 } },
  'audit.checkpoint': { detail: { size: 10, root: 'cc', streams: 1, note: 'sha256:dd' } },
  'gateway.start': { ...operator, detail: { plugins: ['audit'], open: false } },
  'gateway.stop': { ...operator, detail: {} },
  'config.load': { ...operator, detail: { files: [{ path: 'mcpgw.yaml', digest: 'sha256:ee' }] } },
  'config.refused': { ...operator, success: false, detail: { findings: 1 } },
  'plugin.load': { actor: { id: 'system' }, success: true, detail: { name: 'audit', version: '0.1.0' } },
  'key.create': { ...operator, detail: { key: 'k1' } },
  'key.revoke': { ...operator, detail: { key: 'k1' } },
  'log.read': { ...operator, detail: { command: 'audit log', options: {} } },
  'log.export': { ...operator, detail: { from: null, to: '9', records: 9 } },
  'log.verify': { ...operator, detail: { verdict: 'proven' } },
  'log.retention': { ...operator, detail: { records: 9 } },
  'log.hold': { ...operator, detail: { id: 'h1' } },
  'log.release': { ...operator, detail: { id: 'h1' } },
  'export.cursor': { actor: { id: 'system' }, success: true, detail: { export: 'siem', cursor: '9', records: 9 } },
  'policy.load': { actor: { id: 'system' }, success: true, detail: { bundle: 'sha256:aa' } },
  'policy.reload': { ...operator, detail: { bundle: 'sha256:aa' } },
  'policy.reload-refused': { ...operator, success: false, detail: { bundle: 'sha256:aa' } },
  'server.start': { actor: { id: 'system' }, success: true, detail: { server: 'files' } },
  'server.restart': { actor: { id: 'system' }, success: true, detail: { server: 'files' } },
  'server.exit': { actor: { id: 'system' }, success: false, detail: { server: 'files', code: 1 } },
  'server.failed': { actor: { id: 'system' }, success: false, detail: { server: 'files' } },
  'server.breaker': { actor: { id: 'system' }, success: true, detail: { server: 'files', state: 'open' } },
  'tool.redefined': { actor: { id: 'system' }, success: true, detail: { server: 'files', tool: 'read' } },
  'catalog.drift': { actor: { id: 'system' }, success: true, detail: { server: 'files' } },
  'export.rejected': {
    actor: { id: 'system' },
    success: false,
    detail: { export: 'siem', stream: 'gw.boot', from: 1, to: 9, rejected: 2 },
  },
}

export const types: readonly string[] = Object.keys(bodies)

/** Some that the log may hold beside: a call without a name, one that failed, one that nobody knows the end of, one that is no JSON any more. */
const others: readonly (readonly [string, Fields])[] = [
  ['outcome', { callId: 'c3', ...tool, outcome: 'unknown', errorCode: 'gateway-restart' }],
  ['outcome', { callId: 'c4', ...caller, ...tool, outcome: 'tool-error', durationMs: 3, result: { isError: true } }],
  [
    'intent',
    { callId: 'c5', subject: '0123456789abcdef01234567', action: 'prompts/get', server: 'mail', prompt: 'reply', decision: allowed },
  ],
  ['outcome', {}],
]

export function eventOf(type: string, body: Fields, seq = 1): AuditEvent {
  const stream = 'gw.boot'
  const { callId } = body
  const call = typeof callId === 'string' ? callId : ''
  const full: Fields = { v: 2, stream, seq, type, at, mono: 5, durability: 'full', ...body }
  const hash = new Uint8Array(32).fill(seq)
  return createEvent({ n: seq, stream, seq, at, type, call, prev: hash, hash, body: Buffer.from(JSON.stringify(full)) }, full)
}

export const samples: readonly AuditEvent[] = [...Object.entries(bodies), ...others].map(([type, body], i) => eventOf(type, body, i + 1))
