// Which records a reader asked for, by the options that the commands share.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'
import { statusOf, targetOf } from './show.ts'

/** For records newest first. */
export function createFilter({ options }: CommandIo<AuditConfig>): (record: StoredRecord, body: Body) => boolean {
  const { consumer, server, tool, status, decision } = options
  const intents = options.intents === true || status === 'open'
  // Newest first, so the end of a call is met before its intent.
  const ended = new Set<string>()
  return (record, body) => {
    if (record.call !== '' && record.type !== 'intent') ended.add(record.call)
    if (record.type === 'intent' && !intents) return false
    if (status === 'open' && ended.has(record.call)) return false
    return (
      (consumer === undefined || body.actor?.id === consumer) &&
      (server === undefined || body.server === server) &&
      (tool === undefined || targetOf(body) === tool) &&
      (status === undefined || statusOf(record, body) === status) &&
      (decision === undefined || decisionOf(record, body) === decision)
    )
  }
}

/** The outcome of a call says nothing of the decision, for without an allow there is none. */
export function decisionOf(record: StoredRecord, { decision }: Body): string | undefined {
  return decision?.outcome ?? (record.type.startsWith('outcome') ? 'allow' : undefined)
}
