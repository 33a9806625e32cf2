// A stored record as people and programs read it.
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'

/** How a call ended, `refused`, or `open` for an intent. Undefined for administrative records. */
export function statusOf(record: StoredRecord, body: Body): string | undefined {
  if (record.type === 'intent') return 'open'
  if (record.type === 'refusal' || record.type === 'refusal.repeated') return 'refused'
  return body.outcome
}

/** How many the record stands for. */
export function countOf({ count }: Body): number {
  return typeof count === 'number' && count > 0 ? count : 1
}

/** With what says whom it is about. */
export function detailOf({ detail, about }: Body): unknown {
  return about?.detail === undefined ? detail : { ...(detail as object), ...about.detail }
}

/** Who did it; the pseudonym of somebody whose key is not there, or was erased. Undefined: nobody that is known. */
export function callerOf({ actor, subject }: Body): string | undefined {
  return actor === undefined ? subject : actor?.id
}

/** `SERVER`, or `SERVER@VERSION`. */
export function serverOf({ server, version }: Body): string | undefined {
  return server === undefined || version === undefined ? server : `${server}@${version}`
}

/** What the call was about, without the server. */
export function targetOf(body: Body): string | undefined {
  return body.tool ?? body.prompt ?? body.uri
}
