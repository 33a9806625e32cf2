// One client over stdin and stdout, of either era: stdout carries MCP and nothing else.
import type { Readable, Writable } from 'node:stream'
import type { GatewayConfig } from '../config/schema.ts'
import { type ErrorCode, errors } from '../errors.ts'
import { errorObject } from '../mcp/error-answer.ts'
import { createLineFramer } from '../mcp/framer.ts'
import { isFault, Json } from '../mcp/json.ts'
import { type Message, readMessage, writeErrorObject } from '../mcp/message.ts'
import { type Era, LATEST_MODERN } from '../mcp/modern.ts'
import { OVERLOAD_RETRY, type Shedding } from '../overload.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Log, Peer } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { View } from '../relay/view.ts'
import { runBatch } from './batch.ts'
import { classify, type Inbound } from './inbound.ts'
import { BY_GATEWAY, type Why } from './refusing.ts'
import type { ReplyChannel, Session } from './session.ts'
import { createVisits } from './stdio-visits.ts'
import { within } from './within.ts'

export interface StdioOptions {
  readonly config: Pick<GatewayConfig, 'limits'>
  readonly relay: Relay
  readonly view: View
  readonly pipeline: Pick<Pipeline, 'wants' | 'connect' | 'disconnect' | 'refused'>
  readonly overload: Pick<Shedding, 'sheds'>
  readonly log: Log
  readonly input: Readable
  readonly output: Writable
}

export interface StdioListener {
  /** Resolves when the client has closed its end and everything under way is answered or dropped. */
  readonly done: Promise<void>
  /** Takes nothing more; resolves when what is under way is answered, or `limitMs` has passed. */
  drain(limitMs: number): Promise<void>
  /** Drops what is left. */
  close(): Promise<void>
}

/** With this much unread nothing is said to the client but answers; of those there are no more than it has asked for. */
const MAX_UNREAD = 64 * 1024 * 1024
const NEWLINE = Buffer.from('\n')
/** A client that has closed its end waits about two seconds for us; answers that come before are still for it. */
const LAST_ANSWERS_MS = 1500

export function listenStdio(options: StdioOptions): StdioListener {
  const { config, relay, view, pipeline, overload, log, input, output } = options
  const peer: Peer = { transport: 'stdio', header: () => [] }
  const limits = { bytes: config.limits.messageBytes, depth: config.limits.depth, keys: config.limits.keys }
  let session: Session | undefined
  /** Settled by the first request that is not `server/discover`. */
  let era: Era | undefined
  let opening: Promise<unknown> | undefined
  let ended = false
  let underway = 0
  let idle = (): void => {}
  const { promise: done, resolve: finish } = withResolvers()

  const channel: ReplyChannel = {
    get open() {
      return !ended && output.writableLength < MAX_UNREAD
    },
    send(message) {
      if (channel.open) channel.reply(message)
    },
    reply(message) {
      if (ended || message.length === 0) return
      output.cork()
      output.write(message)
      output.write(NEWLINE)
      process.nextTick(() => output.uncork())
    },
  }

  const visits = createVisits(relay, view, peer, channel)

  /** The client gets its answer where it has asked for one, the plugins hear of it. */
  function refuse(code: ErrorCode, { text, isQuote = false, data, id, action, retryAfter }: Why = {}): void {
    if (id !== undefined) {
      const details = { ...(text !== undefined && { text }), ...(data && { data }), ...(retryAfter !== undefined && { retryAfter }) }
      channel.reply(writeErrorObject(id, errorObject(code, details)))
    }
    const reason = isQuote ? errors[code].text : (text ?? errors[code].text)
    pipeline.refused({ code, reason, by: BY_GATEWAY, transport: 'stdio', action })
  }

  function take(line: Uint8Array): void {
    const json = Json.scan(line, limits)
    if (isFault(json)) return refuse(json.code, { text: `${json.message} at byte ${json.offset}`, id: null })
    const message = readMessage(json, 'downstream')
    if ('code' in message) return refuse(message.code, { text: message.message, isQuote: true, id: message.id })
    if (overload.sheds(message)) return refuse('overloaded', { ...toCall(message), retryAfter: OVERLOAD_RETRY })
    const inbound = classify(message, peer)
    if (inbound.kind !== 'legacy' || era === 'modern') return takeModern(message, inbound)
    if (session === undefined) {
      if (message.kind === 'request' && message.method === 'initialize' && opening === undefined) {
        era = 'legacy'
        opening = relay.open(view, message, channel, peer).then(opened => {
          opening = undefined
          session = opened
          if (opened === undefined) era = undefined
          if (opened !== undefined) opened.stream = channel
        })
        return watch(opening)
      }
      // A client may not wait for the answer to initialize: what comes meanwhile is taken in order after it.
      if (opening !== undefined) return watch(opening.then(() => take(line)))
      if (message.kind === 'batch') return refuse('batch-refused', { id: null })
      return refuse('session-missing', toCall(message))
    }
    if (message.kind !== 'batch') return watch(relay.receive(session, message, channel, peer))
    if (session.protocolVersion !== '2025-03-26') return refuse('batch-refused', { id: null })
    watch(runBatch(relay, session, message.items, channel, peer, pipeline))
  }

  /** Spec: 2026-07-28 basic/versioning: the era is that of the process, so nobody is of two. */
  function takeModern(message: Message, inbound: Inbound): void {
    const refuseIt = (text: string) => refuse('invalid-request', { text, ...toCall(message) })
    if (inbound.kind === 'refused') {
      const { code, text, data } = inbound
      return refuse(code, { text, data, ...toCall(message) })
    }
    if (message.kind === 'notification') {
      const work = era === 'modern' ? visits.notification(message) : undefined
      return work && watch(work)
    }
    if (inbound.kind === 'legacy') return refuseIt(`this connection speaks revision ${LATEST_MODERN}: each request says so in its _meta`)
    if (era === 'legacy') return refuseIt('this connection was opened with initialize, which is of an older revision')
    if (message.kind !== 'request') return
    if (message.method !== 'server/discover') era = 'modern'
    watch(visits.request(message, inbound.envelope))
  }

  function watch(work: Promise<unknown>): void {
    underway++
    work.then(settled, error => {
      logBug(error)
      settled()
    })
  }
  function logBug(error: unknown): void {
    log.error('bug: a message could not be handled', { error: error instanceof Error ? (error.stack ?? '') : String(error) })
  }
  function settled(): void {
    if (--underway === 0) idle()
  }

  async function drain(limitMs: number): Promise<void> {
    input.pause()
    if (underway === 0) return
    const answered = new Promise<void>(resolve => {
      idle = resolve
    })
    await within(answered, limitMs)
  }

  const framer = createLineFramer({
    maxBytes: config.limits.messageBytes,
    onLine: line => take(line),
    onFault: fault => refuse('too-large', { text: typeof fault === 'string' ? fault : 'the line is longer than the limit', id: null }),
  })
  async function end(): Promise<void> {
    if (ended) return
    ended = true
    if (session !== undefined) await relay.end(session)
    if (pipeline.wants.connections) await pipeline.disconnect(peer)
    finish()
  }
  function endNow(): void {
    end().catch(logBug)
  }
  /** Nothing is taken from the client before the plugins have had their say. */
  async function greet(): Promise<void> {
    const refusal = await pipeline.connect(peer)
    if (refusal === undefined) return listen()
    channel.reply(writeErrorObject(null, errorObject(refusal.code, { text: refusal.reason })))
    await end()
  }
  function listen(): void {
    input.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      // Back-pressure: while the client does not read, nothing more is taken from it.
      if (output.writableNeedDrain && !input.isPaused()) {
        input.pause()
        output.once('drain', () => input.resume())
      }
    })
    input.on('end', () => void drain(LAST_ANSWERS_MS).then(endNow))
  }
  input.on('error', endNow)
  output.on('error', endNow)
  if (pipeline.wants.connections) greet().catch(logBug)
  else listen()
  return { done, drain, close: end }
}

/** What an answer to it needs: `id` is left out where none is due. */
function toCall(message: Message): Why {
  if (message.kind === 'batch') return { id: null }
  if (message.kind === 'request') return { id: message.id, action: message.method }
  return message.kind === 'notification' ? { action: message.method } : {}
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}
