// Events in the Elastic Common Schema 9.4.0; what it has no field for stands under `mcpgw`.
import { hexOf } from '../bytes.ts'
import { type AuditEvent, fieldsOf, numberOf, type Severity, targetOf, textOf } from './event.ts'
import { compact, restOf } from './rest.ts'

const SEVERITIES: { readonly [severity in Severity]: number } = { info: 1, notice: 4, warning: 7 }

/** Category and types that the schema allows for it; the first that fits. */
const KINDS: readonly (readonly [RegExp, string, readonly string[]])[] = [
  [/^intent$/, 'api', ['start', 'allowed']],
  [/^outcome/, 'api', ['end']],
  [/^refusal/, 'api', ['denied']],
  [/^key\.create$/, 'iam', ['creation']],
  [/^key\.revoke$/, 'iam', ['deletion']],
  [/^(config|policy)\.(load|reload)$/, 'configuration', ['change']],
  [/^(config|policy|plugin|tool|catalog)\./, 'configuration', ['info']],
  [/^(server|gateway)\.(start|restart)$/, 'process', ['start']],
  [/^(server|gateway)\.(exit|failed|stop)$/, 'process', ['end']],
  [/^(server|gateway)\./, 'process', ['info']],
  [/^log\.(read|export|verify)$/, 'api', ['access']],
]

/** `version`: of the gateway. */
export function toEcs(event: AuditEvent, version: string): object {
  const { id, record, body, success, severity, message } = event
  const { callId, tenant, subject, errorCode, durationMs, decision } = body
  const [, category, types] = KINDS.find(([pattern]) => pattern.test(record.type)) ?? []
  const actor = fieldsOf(body.actor)
  const ip = textOf(fieldsOf(body.source).ip)
  const { code, reason, rules, bundle } = fieldsOf(decision)
  const user = textOf(actor.id) ?? textOf(subject)
  const http = fieldsOf(body.http)
  const duration = numberOf(durationMs)
  return {
    '@timestamp': new Date(record.at).toISOString(),
    ecs: { version: '9.4.0' },
    message,
    log: { level: severity },
    event: {
      id,
      kind: 'event',
      module: 'mcpgw',
      dataset: 'mcpgw.audit',
      action: textOf(body.action) ?? record.type,
      code: record.type,
      ...(category !== undefined && { category: [category], type: types }),
      sequence: record.seq,
      severity: SEVERITIES[severity],
      hash: hexOf(record.hash),
      outcome: success === undefined ? 'unknown' : success ? 'success' : 'failure',
      ...compact({ reason: textOf(reason), duration: duration && Math.round(duration * 1e6) }),
    },
    service: { name: 'mcpgw', version },
    ...compact({
      user: user === undefined ? undefined : { id: user, ...compact({ name: textOf(actor.name) }) },
      source: ip === undefined ? undefined : { ip, address: ip },
      organization: textOf(tenant) && { id: tenant },
      trace: textOf(body.traceId) && { id: body.traceId },
      transaction: textOf(callId) && { id: callId },
      rule: Array.isArray(rules) ? compact({ name: textOf(rules[0]), ruleset: textOf(bundle) }) : undefined,
      error: compact({ code: textOf(errorCode) ?? textOf(code) }),
      http: compact({
        request: textOf(http.method) && { method: http.method },
        response: numberOf(http.status) && { status_code: http.status },
      }),
      url: textOf(http.path) && { path: http.path },
      related: compact({ ip: ip && [ip], user: user && [user] }),
    }),
    mcpgw: { ...compact({ server: textOf(body.server), target: targetOf(body), args: body.args, result: body.result }), ...restOf(event) },
  }
}
