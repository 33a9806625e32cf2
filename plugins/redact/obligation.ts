// The obligation `redact(...)` of a policy: field paths, compiled once for each of its texts.
import type { DischargeStage, Obligation, Payload } from 'mcpgw/plugin'
import { type FieldPath, parsePath } from './field-path.ts'

/** Undefined where an argument is no path. */
export function compileObligations(): (obligation: Obligation) => readonly FieldPath[] | undefined {
  const known = new Map<string, FieldPath | undefined>()
  return ({ args }) => {
    const paths: FieldPath[] = []
    for (const { name, value } of args) {
      if (name !== undefined || typeof value !== 'string') return undefined
      if (!known.has(value)) known.set(value, parsePath(value))
      const path = known.get(value)
      if (path === undefined) return undefined
      paths.push(path)
    }
    return paths.length === 0 ? undefined : paths
  }
}

export function payloadOf(stage: DischargeStage): Payload {
  switch (stage.at) {
    case 'request':
      return stage.exchange.sent
    case 'notification':
      return stage.notification.params
    case 'answer':
      return stage.answer.payload
  }
}
