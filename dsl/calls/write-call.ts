// Facts back to the JSON of a call, so that what is shown can be pasted into `mcpgw policy explain --call`.
import type { Facts } from '../facts.ts'
import type { Value } from '../value.ts'

/** On one line. The history is told by `history`, as nobody can ask a store for all. */
export function writeCall(
  facts: Facts,
  history?: readonly { readonly target: string; readonly at: Date; readonly action: string }[],
): string {
  const { principal, action, server, name, args, request, session } = facts
  const parts = [
    `"principal":${jsonOf(subjectOf(principal))}`,
    `${JSON.stringify(action)}:${JSON.stringify(`${server}/${name}`)}`,
    ...(args instanceof Map && args.size > 0 ? [`"args":${jsonOf(args)}`] : []),
    ...(history === undefined
      ? []
      : [`"history":${JSON.stringify(history.map(one => ({ [one.action]: one.target, at: one.at.toISOString() })))}`]),
    `"request":${jsonOf(new Map<string, Value>([...(request.ip === undefined ? [] : [['ip', request.ip] as const]), ['time', request.time]]))}`,
    ...(session === undefined ? [] : [`"session":{"id":${JSON.stringify(session.id)},"calls":${session.calls}}`]),
  ]
  return `{${parts.join(',')}}`
}

function subjectOf({ id, name, roles, tenant, claims }: Facts['principal']): Value {
  const entries: [string, Value][] = [
    ['id', id],
    ['roles', roles],
    ['tenant', tenant],
  ]
  if (name !== undefined) entries.push(['name', name])
  if (claims instanceof Map && claims.size > 0) entries.push(['claims', claims])
  return new Map(entries)
}

/** Whole numbers stay as exact as they are. */
function jsonOf(value: Value): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : JSON.stringify(value)
  if (value instanceof Date) return JSON.stringify(value.toISOString())
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(jsonOf).join(',')}]`
  if (value instanceof Map)
    return `{${[...(value as ReadonlyMap<string, Value>)].map(([key, one]) => `${JSON.stringify(key)}:${jsonOf(one)}`).join(',')}}`
  return JSON.stringify(value)
}
