// Which records a reader asked for, by the options that the commands share.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import type { LogReader, StoredRecord } from '../store/log-store.ts'
import { serverOf, statusOf, targetOf } from './show.ts'

/** For records in any order: which calls are open the log is asked at once. `intents`: whether they count where no status is asked for. */
export async function createFilter(
  { options }: CommandIo<AuditConfig>,
  reader: LogReader,
  intents: boolean,
): Promise<(record: StoredRecord, body: Body) => boolean> {
  const { tenant, type, consumer, server, tool, status, decision, text } = options
  const words = typeof text === 'string' ? text.toLowerCase().split(/\s+/) : []
  const open = status === 'open' ? await openCalls(reader) : undefined
  return (record, body) => {
    if (record.type === 'intent' && !(intents || open !== undefined || type === 'intent')) return false
    if (open !== undefined && !open.has(record.call)) return false
    return (
      (tenant === undefined || body.tenant === tenant) &&
      (type === undefined || record.type === type) &&
      (consumer === undefined || body.actor?.id === consumer) &&
      (server === undefined || body.server === server || serverOf(body) === server) &&
      (tool === undefined || targetOf(body) === tool) &&
      (status === undefined || statusOf(record, body) === status) &&
      (decision === undefined || decisionOf(record, body) === decision) &&
      (words.length === 0 || hasWords(body, words))
    )
  }
}

/** All of them, in what the record says of why it came out so. */
function hasWords({ decision, errorCode }: Body, words: readonly string[]): boolean {
  const why = [decision?.reason, decision?.code, decision?.rules, errorCode].flat().join('\n').toLowerCase()
  return words.every(word => why.includes(word))
}

/** Of streams that were closed none is: the later one that closes them ends their calls. */
async function openCalls(reader: LogReader): Promise<ReadonlySet<string>> {
  const open = new Set<string>()
  for (const { name, isEnded } of await reader.openStreams())
    if (!isEnded) for (const { call } of await reader.openCalls(name)) open.add(call)
  return open
}

/** The outcome of a call says nothing of the decision, for without an allow there is none. */
export function decisionOf(record: StoredRecord, { decision }: Body): string | undefined {
  return decision?.outcome ?? (record.type.startsWith('outcome') ? 'allow' : undefined)
}
