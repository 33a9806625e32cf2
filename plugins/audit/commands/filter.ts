// Which records a reader asked for, by the options that the commands share.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import type { Body } from '../opened.ts'
import type { LogReader, StoredRecord } from '../store/log-store.ts'
import { statusOf, targetOf } from './show.ts'

/** For records in any order: which calls are open the log is asked at once. `intents`: whether they count where no status is asked for. */
export async function createFilter(
  { options }: CommandIo<AuditConfig>,
  reader: LogReader,
  intents: boolean,
): Promise<(record: StoredRecord, body: Body) => boolean> {
  const { consumer, server, tool, status, decision } = options
  const open = status === 'open' ? await openCalls(reader) : undefined
  return (record, body) => {
    if (record.type === 'intent' && !(intents || open !== undefined)) return false
    if (open !== undefined && !open.has(record.call)) return false
    return (
      (consumer === undefined || body.actor?.id === consumer) &&
      (server === undefined || body.server === server) &&
      (tool === undefined || targetOf(body) === tool) &&
      (status === undefined || statusOf(record, body) === status) &&
      (decision === undefined || decisionOf(record, body) === decision)
    )
  }
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
