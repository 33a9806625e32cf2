// The plain HTTP interface: tools by name and the gateway's own operations, each as a request that goes the way of any MCP request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Cancel } from '../cancel.ts'
import type { ErrorCode } from '../errors.ts'
import { isFault, Json, type JsonLimits } from '../mcp/json.ts'
import { INNER_ID } from '../operations/inner.ts'
import { inputOf } from '../operations/input.ts'
import type { Operations } from '../operations/operations.ts'
import { decodePart } from '../operations/route.ts'
import { OVERLOAD_RETRY, type Shedding } from '../overload.ts'
import type { JsonObject, Operation } from '../plugin/index.ts'
import type { Relay } from '../relay/relay.ts'
import type { View, Views } from '../relay/view.ts'
import type { BodyReader } from './body.ts'
import { whenHungUp } from './http-channel.ts'
import type { HttpPeer } from './http-peer.ts'
import { askOnce, type Reply } from './once.ts'
import type { Refusing } from './refusing.ts'
import { bodyOf, bodyOfOperation, type RestAnswer, send } from './rest-answer.ts'

export interface RestOptions {
  readonly relay: Pick<Relay, 'serve'>
  readonly views: Views
  readonly operations: Pick<Operations, 'match'>
  /** The document of these routes. */
  readonly description: JsonObject
  readonly limits: JsonLimits
  readonly overload: Pick<Shedding, 'shedsCall'>
  readonly readBody: BodyReader
  /** In the form of these routes. */
  readonly refusing: Pick<Refusing, 'refuse' | 'answer'>
  logBug(error: unknown): void
}

export interface Rest {
  /** The path is one of these, with this method or another one. */
  knows(request: IncomingMessage, path: string | undefined): boolean
  /** False where the path is none of these. */
  serve(request: IncomingMessage, response: ServerResponse, path: string, peer: HttpPeer, stopping: boolean): boolean
}

interface Target {
  readonly view: View
  readonly method: string
  /** From the body, where there is one. */
  params(body: Json | undefined): Json | string
  show(reply: Reply): RestAnswer
}

const CLIENT = 'http'
const NOTHING = Json.of({})
const CALL = /^\/tools\/([^/]+)\/call$/

export function createRest(options: RestOptions): Rest {
  const { relay, views, operations, limits, readBody, refusing, logBug } = options
  const description = Json.of(options.description)

  function find(request: IncomingMessage, path: string): Target | readonly string[] | undefined {
    const { method = '', url = '' } = request
    if (path === '/tools') return method === 'GET' ? listing(queryOf(url)) : ['GET']
    const call = CALL.exec(path)
    const name = call === null ? undefined : decodePart(call[1]!)
    if (name !== undefined) return method === 'POST' ? calling(views.all, name) : ['POST']
    const view = views.of(INNER_ID)
    if (view === undefined) return undefined
    const found = operations.match(method, path)
    if ('operation' in found) return operating(view, found.operation, { ...queryOf(url), ...found.named })
    return found.methods.length > 0 ? found.methods : undefined
  }

  function listing({ cursor }: Query): Target {
    return {
      view: views.all,
      method: 'tools/list',
      params: () => (typeof cursor === 'string' ? Json.of({ cursor }) : NOTHING),
      show: reply => bodyOf(reply, result => NOTHING.with({ tools: result.get('tools'), nextCursor: result.get('nextCursor') })),
    }
  }

  function calling(view: View, name: string): Target {
    return {
      view,
      method: 'tools/call',
      params(body) {
        const other = body?.keys().find(key => key !== 'arguments')
        if (other !== undefined) return `expected {"arguments": {...}}, found "${other}"`
        const args = body?.get('arguments')
        if (args !== undefined && args.type !== 'object') return `arguments: expected an object, found ${args.type}`
        return Json.of({ name }).with({ arguments: args })
      },
      show: reply => bodyOf(reply, result => result.with({ resultType: undefined })),
    }
  }

  function operating(view: View, operation: Operation, given: Query): Target {
    return {
      view,
      method: 'tools/call',
      params: body => Json.of({ name: operation.name }).with({ arguments: inputOf(operation, given, body) }),
      show: bodyOfOperation,
    }
  }

  async function answer(target: Target, body: Json | undefined, response: ServerResponse, peer: HttpPeer): Promise<void> {
    const params = target.params(body)
    if (typeof params === 'string') return refusing.refuse(response, 'invalid-arguments', { text: params, isQuote: true, status: 400 })
    const cancel = new Cancel()
    whenHungUp(response, () => cancel.cancel('the client has hung up'))
    const reply = await askOnce(relay, { view: target.view, peer, method: target.method, params, cancel, client: CLIENT })
    send(response, target.show(reply))
  }

  function refuseBody(response: ServerResponse, code: ErrorCode, text?: string): void {
    refusing.refuse(response, code, text === undefined ? {} : { text })
  }

  return {
    knows: (request, path) => path !== undefined && find(request, path) !== undefined,
    serve(request, response, path, peer, stopping) {
      if (path === '/openapi.json' && request.method === 'GET') {
        send(response, { status: 200, body: description, head: {} })
        return true
      }
      const target = find(request, path)
      if (target === undefined) return false
      if (stopping) {
        refusing.refuse(response, 'stopping')
        return true
      }
      if (!('view' in target)) {
        response.setHeader('allow', target.join(', '))
        refusing.refuse(response, 'method-not-allowed')
        return true
      }
      const go = (body: Json | undefined) =>
        void answer(target, body, response, peer).catch(error => {
          logBug(error)
          if (response.headersSent) response.destroy()
          else refusing.answer(response, 'internal')
        })
      if (request.method === 'GET' || request.method === 'DELETE') go(undefined)
      else if (options.overload.shedsCall()) refusing.refuse(response, 'overloaded', { retryAfter: OVERLOAD_RETRY })
      else
        readBody(request, peer, bytes => {
          if (typeof bytes === 'string') return refuseBody(response, bytes)
          if (bytes.length === 0) return go(undefined)
          const json = Json.scan(bytes, limits)
          if (isFault(json)) return refuseBody(response, json.code, `${json.message} at byte ${json.offset}`)
          if (json.type !== 'object') return refuseBody(response, 'invalid-request', `expected an object, found ${json.type}`)
          go(json)
        })
      return true
    },
  }
}

/** A name that is there twice is a list. */
export type Query = Readonly<Record<string, string | readonly string[]>>

function queryOf(url: string): Query {
  const at = url.indexOf('?')
  const query: Record<string, string | readonly string[]> = Object.create(null) as Record<string, string>
  if (at < 0) return query
  for (const [key, value] of new URLSearchParams(url.slice(at))) {
    const before = query[key]
    query[key] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value]
  }
  return query
}
