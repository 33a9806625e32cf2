// The JSON-RPC 2.0 envelope: what one message is, told from the scanned bytes.

import { reserve } from './json/lookalike.ts'
import type { Json } from './json.ts'
import { META } from './modern.ts'

export { type Id, toLine, writeError, writeErrorObject, writeNotification, writeRequest, writeResult } from './message-writer.ts'

/** `id` of a request or a result: a string or an integer, as it was written. `json` is the whole message. */
export type Message =
  | { readonly kind: 'request'; readonly id: Json; readonly method: string; readonly params: Json | undefined; readonly json: Json }
  | { readonly kind: 'notification'; readonly method: string; readonly params: Json | undefined; readonly json: Json }
  | { readonly kind: 'result'; readonly id: Json; readonly result: Json; readonly json: Json }
  | { readonly kind: 'error'; readonly id: Json | null; readonly error: Json; readonly json: Json }
  /** An array of messages, at least one; each item is still to be read. */
  | { readonly kind: 'batch'; readonly items: readonly Json[]; readonly json: Json }

/** `message` says what is wrong, for the log; `id` is the id to answer with, null where none can be told. */
export type MessageFault = { readonly code: 'invalid-request'; readonly message: string; readonly id: Json | null }

// Sixteen megabytes hold eight million elements, each of which would be answered.
const MAX_BATCH = 1000
const inRoot = reserve(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const inParams = reserve('name arguments _meta uri cursor progressToken requestId task taskId requestState inputResponses'.split(' '))
const inMeta = reserve(['progressToken', ...Object.values(META)])
const inError = reserve(['code', 'message', 'data'])

/** `side`: who sent it. Of a client, the keys inside params and error are held to their exact spelling too. */
export function readMessage(json: Json, side: 'downstream' | 'upstream'): Message | MessageFault {
  const type = json.type
  if (type === 'array') {
    const items = json.items(MAX_BATCH + 1)
    if (items.length > MAX_BATCH) return fault(null, `a batch of more than ${MAX_BATCH} messages`)
    return items.length > 0 ? { kind: 'batch', items, json } : fault(null, 'an empty batch')
  }
  if (type !== 'object') return fault(null, `a message is an object, not a ${type}`)

  const id = json.get('id')
  const valid = id !== undefined && isId(id)
  const answerTo = valid ? id : null
  const twin = json.lookalike(inRoot)
  if (twin !== undefined) return fault(answerTo, resembles(twin))
  if (!json.holds('jsonrpc', '2.0')) return fault(answerTo, 'jsonrpc is not "2.0"')

  const method = json.get('method')
  const result = json.get('result')
  const error = json.get('error')
  if (Number(method !== undefined) + Number(result !== undefined) + Number(error !== undefined) !== 1) {
    return fault(answerTo, 'exactly one of method, result and error must be there')
  }
  if (method !== undefined) return readCall(json, id, valid, side)
  if (json.get('params') !== undefined) return fault(answerTo, 'a response has no params')
  if (error !== undefined) return readError(json, error, id, valid, side)
  if (!valid) return fault(null, 'the id of a result is a string or an integer')
  return { kind: 'result', id, result: result!, json }
}

function readCall(json: Json, id: Json | undefined, valid: boolean, side: 'downstream' | 'upstream'): Message | MessageFault {
  const answerTo = valid ? id! : null
  const method = json.string('method')
  if (method === undefined || method === '') return fault(answerTo, 'method is not a string with at least one character')
  const params = json.get('params')
  if (params !== undefined) {
    if (params.type !== 'object') return fault(answerTo, 'params is not an object')
    const twin = side === 'downstream' ? (params.lookalike(inParams) ?? params.get('_meta')?.lookalike(inMeta)) : undefined
    if (twin !== undefined) return fault(answerTo, resembles(twin))
  }
  if (id === undefined) return { kind: 'notification', method, params, json }
  if (!valid) return fault(null, 'the id of a request is a string or an integer')
  return { kind: 'request', id, method, params, json }
}

function readError(json: Json, error: Json, id: Json | undefined, valid: boolean, side: 'downstream' | 'upstream'): Message | MessageFault {
  const answerTo = valid ? id! : null
  if (error.type !== 'object') return fault(answerTo, 'error is not an object')
  const twin = side === 'downstream' ? error.lookalike(inError) : undefined
  if (twin !== undefined) return fault(answerTo, resembles(twin))
  const code = error.get('code')
  if (code?.type !== 'number' || !code.isInteger) return fault(answerTo, 'the code of an error is an integer')
  if (error.string('message') === undefined) return fault(answerTo, 'the message of an error is a string')
  if (id !== undefined && !valid && id.type !== 'null') return fault(null, 'the id of an error is a string, an integer or null')
  return { kind: 'error', id: answerTo, error, json }
}

function isId(id: Json): boolean {
  const type = id.type
  return type === 'string' || (type === 'number' && id.isInteger)
}

function fault(id: Json | null, message: string): MessageFault {
  return { code: 'invalid-request', message, id }
}

function resembles(twin: { key: string; reserved: string }): string {
  return `${JSON.stringify(twin.key)} where ${twin.reserved} is a reserved key`
}
