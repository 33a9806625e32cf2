// Writes JSON-RPC messages around scanned values: one buffer, one copy of each value, and never a line break.

import { quote } from './json/serialise.ts'
import type { Json } from './json.ts'

const newline = 0x0a
const carriageReturn = 0x0d

/** An id that we mint (a number) or one that is echoed as it was written. */
export type Id = Json | number

export function writeRequest(id: Id, method: string, params?: Json): Uint8Array {
  const head = `{"jsonrpc":"2.0","id":${idText(id)},"method":${quote(method)}`
  return params === undefined ? Buffer.from(`${head}}`) : enclose(`${head},"params":`, params, '}')
}

export function writeNotification(method: string, params?: Json): Uint8Array {
  const head = `{"jsonrpc":"2.0","method":${quote(method)}`
  return params === undefined ? Buffer.from(`${head}}`) : enclose(`${head},"params":`, params, '}')
}

export function writeResult(id: Id, result: Json): Uint8Array {
  return enclose(`{"jsonrpc":"2.0","id":${idText(id)},"result":`, result, '}')
}

/** An error object as it came from a server, under another id. */
export function writeErrorObject(id: Id | null, error: Json): Uint8Array {
  return enclose(`{"jsonrpc":"2.0","id":${idText(id)},"error":`, error, '}')
}

export function writeError(
  id: Id | null,
  error: { readonly code: number; readonly message: string; readonly data?: Json | undefined },
): Uint8Array {
  if (!Number.isSafeInteger(error.code)) throw new TypeError(`${error.code} is no error code`)
  const head = `{"jsonrpc":"2.0","id":${idText(id)},"error":{"code":${error.code},"message":${quote(error.message)}`
  return error.data === undefined ? Buffer.from(`${head}}}`) : enclose(`${head},"data":`, error.data, '}}')
}

/** The same bytes where they have no line break, else a copy with spaces in their place. `bytes` is strict JSON. */
export function toLine(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(newline) && !bytes.includes(carriageReturn)) return bytes
  return straighten(Buffer.from(bytes), 0)
}

function enclose(head: string, value: Json, tail: string): Uint8Array {
  const inner = value.bytes
  const headLength = Buffer.byteLength(head)
  const message = Buffer.allocUnsafe(headLength + inner.length + tail.length)
  message.write(head, 0)
  message.set(inner, headLength)
  message.write(tail, headLength + inner.length, 'latin1')
  return straighten(message, headLength)
}

// Invariant: JSON allows line breaks only as white space between tokens, so that a space can stand for each.
function straighten(message: Buffer, from: number): Buffer {
  for (const lineBreak of [newline, carriageReturn]) {
    for (let at = message.indexOf(lineBreak, from); at >= 0; at = message.indexOf(lineBreak, at + 1)) message[at] = 0x20
  }
  return message
}

function idText(id: Id | null): string {
  if (id === null) return 'null'
  return typeof id === 'number' ? String(id) : id.text
}
