// Events in the Open Cybersecurity Schema Framework 1.8.0, class API Activity (6003).
import { type AuditEvent, fieldsOf, numberOf, type Severity, targetOf, textOf } from './event.ts'
import { compact, restOf } from './rest.ts'

const CLASS = 6003
const SEVERITIES: { readonly [severity in Severity]: readonly [number, string] } = {
  info: [1, 'Informational'],
  notice: [2, 'Low'],
  warning: [3, 'Medium'],
}
const ACTIVITIES: readonly (readonly [RegExp, number, string])[] = [
  [/^(resources\/read|prompts\/get|log\.(read|export|verify)|[a-z]+\/list)$/, 2, 'Read'],
  [/\.(create|hold)$/, 1, 'Create'],
  [/\.(reload|change|restart)$/, 3, 'Update'],
  [/\.(revoke|release|retention|erase)$/, 4, 'Delete'],
]

/** `version`: of the gateway. */
export function toOcsf(event: AuditEvent, version: string): object {
  const { id, record, body, success, severity, message, status } = event
  const { callId, tenant, action, errorCode, decision } = body
  const { code, reason } = fieldsOf(decision)
  const operation = textOf(action) ?? record.type
  const [activity, activityName] = activityOf(operation)
  const [severityId, severityName] = SEVERITIES[severity]
  const http = fieldsOf(body.http)
  return {
    activity_id: activity,
    activity_name: activityName,
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: CLASS,
    class_name: 'API Activity',
    type_uid: CLASS * 100 + activity,
    time: record.at,
    severity_id: severityId,
    severity: severityName,
    message,
    ...statusOf(success, status),
    ...compact({ status_code: textOf(errorCode) ?? textOf(code), status_detail: textOf(reason) }),
    ...repetition(body),
    metadata: {
      version: '1.8.0',
      product: { name: 'mcpgw', vendor_name: 'mcpgw', version },
      uid: id,
      sequence: record.seq,
      event_code: record.type,
      ...compact({ log_name: 'audit', correlation_uid: textOf(callId), tenant_uid: textOf(tenant) }),
      ...(decision !== undefined && { profiles: ['security_control'] }),
    },
    actor: actorOf(event),
    api: {
      operation,
      ...compact({
        service: textOf(body.server) && { name: body.server },
        request: textOf(callId) && { uid: callId, ...compact({ data: body.args }) },
        response: compact({ error: textOf(errorCode), data: body.result }),
      }),
    },
    src_endpoint: sourceOf(event),
    ...compact({
      dst_endpoint: textOf(body.server) && { svc_name: body.server },
      resources: targetOf(body) === undefined ? undefined : [{ name: targetOf(body), type: kindOf(event) }],
      http_request: compact({ http_method: textOf(http.method), url: textOf(http.path) && { path: http.path } }),
      http_response: numberOf(http.status) && { code: http.status },
    }),
    ...(decision !== undefined && controlOf(event)),
    unmapped: restOf(event),
  }
}

function activityOf(operation: string): readonly [number, string] {
  const [, id, name] = ACTIVITIES.find(([pattern]) => pattern.test(operation)) ?? []
  return id === undefined || name === undefined ? [99, operation] : [id, name]
}

function statusOf(success: boolean | undefined, status: string | undefined): object {
  if (success !== undefined) return success ? { status_id: 1, status: 'Success' } : { status_id: 2, status: 'Failure' }
  return status === undefined || status === 'unknown' ? { status_id: 0, status: 'Unknown' } : { status_id: 99, status }
}

function repetition({ count, firstAt, lastAt }: AuditEvent['body']): object {
  if (numberOf(count) === undefined || numberOf(firstAt) === undefined || numberOf(lastAt) === undefined) return {}
  return { count, start_time: firstAt, end_time: lastAt }
}

function actorOf({ body }: AuditEvent): object {
  const { id, name, keyId, issuer } = fieldsOf(body.actor)
  const uid = textOf(id) ?? textOf(body.subject) ?? 'unknown'
  const type = uid === 'system' ? { type_id: 3, type: 'System' } : undefined
  return {
    user: { uid, ...compact({ name: textOf(name), credential_uid: textOf(keyId) }), ...type },
    ...compact({ idp: textOf(issuer) && { name: issuer }, app_name: textOf(fieldsOf(body.client).name) }),
  }
}

/** There is always one in this class: without an address it is the way by which the request came, or the gateway itself. */
function sourceOf({ body }: AuditEvent): object {
  const ip = textOf(fieldsOf(body.source).ip)
  return ip === undefined ? { svc_name: textOf(body.transport) ?? 'mcpgw' } : { ip }
}

function controlOf({ body }: AuditEvent): object {
  const { outcome, rules, bundle } = fieldsOf(body.decision)
  const allowed = outcome === 'allow'
  const names = Array.isArray(rules) ? rules.filter(rule => typeof rule === 'string') : []
  return {
    ...(allowed ? { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' } : {}),
    ...(allowed ? {} : { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' }),
    ...(names.length > 0 && {
      authorizations: names.map(name => ({ decision: allowed ? 'allow' : 'deny', policy: { name, ...compact({ uid: textOf(bundle) }) } })),
    }),
  }
}

function kindOf({ body }: AuditEvent): string {
  if (textOf(body.tool) !== undefined) return 'tool'
  return textOf(body.prompt) === undefined ? 'resource' : 'prompt'
}
