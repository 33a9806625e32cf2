// The form of a stored record, before anything else is asked of it: what its body says, and whether its columns repeat it.
import type { StoredRecord } from './store/log-store.ts'

/** A record as it lies in a store, or without columns as it lies in an exported file. */
export type GivenRecord = Pick<StoredRecord, 'n' | 'prev' | 'hash' | 'body'> &
  Partial<Pick<StoredRecord, 'stream' | 'seq' | 'at' | 'type' | 'call'>>

/** What a body must say; the rest of it is what it says of. */
export interface Form {
  readonly stream: string
  readonly seq: number
  readonly type?: unknown
  readonly at?: unknown
  readonly callId?: unknown
  readonly detail?: unknown
}

/** A string says what is wrong with it. */
export function readForm({ prev, hash, body }: GivenRecord): Form | string {
  // Another program may have written there what it liked.
  if (!(body instanceof Uint8Array) || !(prev instanceof Uint8Array) || !(hash instanceof Uint8Array))
    return 'a column has another type than was written'
  const parsed = parse(body)
  if (parsed === undefined) return 'column body is not a JSON object'
  if (parsed.v !== 1 && parsed.v !== 2) return `version ${JSON.stringify(parsed.v)} of the body is unknown`
  const { stream, seq } = parsed
  return typeof stream === 'string' && typeof seq === 'number' ? (parsed as unknown as Form) : 'the body names no stream and position'
}

export function findFormFault(record: GivenRecord, form: Form): string | undefined {
  if (record.stream === undefined) return undefined
  if (record.stream !== form.stream) return 'column stream differs from the body'
  if (record.seq !== form.seq) return 'column seq differs from the body'
  if (record.at !== form.at) return 'column at differs from the body'
  if (record.type !== form.type) return 'column type differs from the body'
  return record.call === (form.callId ?? '') ? undefined : 'column call differs from the body'
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
