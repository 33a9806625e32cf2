// Refuses HTTP requests before there is an exchange: the client gets its answer, the plugins hear of it.
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, errors, isErrorCode } from '../errors.ts'
import { errorObject } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import { writeErrorObject } from '../mcp/message.ts'
import type { Pipeline, Refusal } from '../pipeline.ts'
import type { JsonObject } from '../plugin/index.ts'
import { headersOn } from './answer-headers.ts'
import type { Addresses } from './client-address.ts'
import { BAD_CERTIFICATE, BAD_PROXY_HEADER, TOO_MANY } from './http-server.ts'
import type { Streams } from './streams.ts'

export interface Why {
  /** In place of the text of the code. */
  readonly text?: string
  /** The text quotes the message, which is for the client only. */
  readonly isQuote?: boolean
  readonly data?: JsonObject | undefined
  /** Id and method of the request, where it could be read so far. */
  readonly id?: Json | null
  readonly action?: string | undefined
  /** In place of the status of the code. */
  readonly status?: number
  readonly challenge?: string | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

export interface Refusing {
  refuse(response: ServerResponse, code: ErrorCode, why?: Why): void
  /** Only answers: the plugins know already, as an exchange was refused, or it is no refusal. */
  answer(response: ServerResponse, code: ErrorCode, why?: Why): void
  /** Answers whoever a plugin does not let in; the plugins know. */
  turnAway(response: ServerResponse, refusal: Refusal): void
  /** Cuts a connection on which there is no HTTP, or none in time. `mayAnswer`: nothing that is said last would be taken for the answer to something else. */
  cut(socket: Socket, error: Error & { readonly code?: string }, mayAnswer: boolean): void
}

/** The body of an answer, from a JSON-RPC error object. */
export type WriteError = (id: Json | null, error: Json) => Uint8Array

export function createRefusing(
  pipeline: Pick<Pipeline, 'refused'>,
  streams: Pick<Streams, 'plain'>,
  addresses: Addresses,
  write: WriteError = writeErrorObject,
): Refusing {
  function answer(response: ServerResponse, code: ErrorCode, { text, data, id = null, status, challenge, retryAfter }: Why = {}): void {
    const error = errorObject(code, {
      ...(text !== undefined && { text }),
      ...(data && { data }),
      ...(retryAfter !== undefined && { retryAfter }),
    })
    streams.plain(response).reply(write(id, error), status ?? errors[code].http, { challenge, retryAfter })
  }

  return {
    answer,
    refuse(response, code, why = {}) {
      answer(response, code, why)
      const { method, url } = response.req
      pipeline.refused({
        code,
        reason: why.isQuote === true ? errors[code].text : (why.text ?? errors[code].text),
        by: BY_GATEWAY,
        transport: 'http',
        ip: addresses.ofRequest(response.req).ip,
        status: why.status ?? errors[code].http,
        method,
        path: shownPath(url),
        action: why.action,
      })
    },
    turnAway(response, { code, reason: text, challenge }) {
      const known = isErrorCode(code) ? code : 'denied'
      // Whoever is not let in is not told so with a 200.
      const status = errors[known].http < 400 ? 403 : errors[known].http
      if (!addresses.isShared(response.req.socket)) response.setHeader('connection', 'close')
      answer(response, known, { text, challenge, status })
    },
    cut(socket, error, mayAnswer) {
      if (socket.writableEnded) return
      const reason = explainCut(error)
      const status = mayAnswer ? statusOf(error) : undefined
      if (reason !== undefined)
        pipeline.refused({
          code: error.code === TOO_MANY ? 'rate-limited' : 'invalid-request',
          reason,
          by: BY_GATEWAY,
          transport: 'http',
          ip: addresses.ofSocket(socket).ip,
          ...(status !== undefined && { status }),
        })
      if (status === undefined || !socket.writable) return void socket.destroy()
      // A client that takes nothing is not waited for.
      socket.setTimeout(LAST_WORD_MS, () => socket.destroy())
      socket.write(lastWord(socket, status))
      socket.destroySoon()
    },
  }
}

const LAST_WORD_MS = 2000
const WORDS: Readonly<Record<number, string>> = {
  400: 'not a valid HTTP request',
  408: 'no request in time',
  413: 'the chunk extensions are larger than the limit',
  431: 'the headers are larger than the limit',
}

/** Undefined where nobody there speaks HTTP, or is let in. */
function statusOf({ code = '' }: { readonly code?: string }): number | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  return code.startsWith('HPE_') ? 400 : undefined
}

/** There is no request that it is the answer to: it is written by hand, in the form of all others, and tells nothing of the parser. */
function lastWord(socket: Socket, status: number): string {
  const body = Buffer.from(writeErrorObject(null, errorObject('invalid-request', { text: WORDS[status]! }))).toString()
  const headers = {
    ...headersOn(socket),
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}

/** Undefined where the other side has only gone away. */
function explainCut({ code = '', message }: Error & { readonly code?: string }): string | undefined {
  if (code.startsWith('HPE_')) return `not HTTP: ${code}`
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'no request in time'
  if (code === TOO_MANY || code === BAD_PROXY_HEADER || code === BAD_CERTIFICATE) return message
  return /^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code) ? `no TLS: ${code}` : undefined
}

/** What the gateway refuses itself. */
export const BY_GATEWAY: readonly string[] = Object.freeze(['default'])

/** No part of a path of ours is longer. */
const MAX_PART = 32
const SHOWN_OF_LONGER = 8

/** Nothing of an absolute form, which may hold a password, nor of a query; and of what may be a key that somebody put into the path, its beginning. */
function shownPath(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('/')) return undefined
  const parts = url.split(/[?#]/, 1)[0]!.split('/')
  return parts.map(part => (part.length <= MAX_PART ? part : `${part.slice(0, SHOWN_OF_LONGER)}…`)).join('/')
}
