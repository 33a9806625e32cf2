// The lines of an exported log: what is needed to verify it with nothing else at hand. One JSON object a line.
import { Buffer, isUtf8 } from 'node:buffer'
import { hexOf, viewOf } from './bytes.ts'

export type ExportLine =
  /** A record: its exact bytes, and its place in the chain. `opened`: the sealed part as text, for people; no evidence. */
  | { readonly kind: 'record'; readonly body: Uint8Array; readonly prev: Uint8Array; readonly hash: Uint8Array; readonly opened?: string }
  /** Signed notes. */
  | { readonly kind: 'checkpoint' | 'tombstone'; readonly note: string }

export function writeLine(line: ExportLine): string {
  if (line.kind !== 'record') return `${JSON.stringify({ [line.kind]: line.note })}\n`
  const { body, prev, hash, opened } = line
  // A body that is no UTF-8 was changed; it is exported as it is, so that this is found again.
  const exact = isUtf8(body) ? { body: viewOf(body).toString() } : { bodyBase64: viewOf(body).toString('base64') }
  return `${JSON.stringify({ ...exact, prev: hexOf(prev), hash: hexOf(hash), ...(opened !== undefined && { opened }) })}\n`
}

/** Undefined where it is no such line. */
export function readLine(text: string): ExportLine | undefined {
  const value = parse(text)
  if (value === undefined) return undefined
  for (const kind of ['checkpoint', 'tombstone'] as const) {
    const note = value[kind]
    if (typeof note === 'string') return { kind, note }
  }
  const body = bytesOf(value)
  const [prev, hash] = [unhex(value.prev), unhex(value.hash)]
  if (body === undefined || prev === undefined || hash === undefined) return undefined
  return { kind: 'record', body, prev, hash, ...(typeof value.opened === 'string' && { opened: value.opened }) }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function bytesOf({ body, bodyBase64 }: Readonly<Record<string, unknown>>): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body)
  return typeof bodyBase64 === 'string' ? Buffer.from(bodyBase64, 'base64') : undefined
}

function unhex(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined
}
