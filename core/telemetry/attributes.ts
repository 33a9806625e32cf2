// What spans say of calls: names and codes, no text of callers or servers, but for content where the operator wants it, as it was masked.
import type { ServerConfig } from '../config/schema.ts'
import { errors, isErrorCode } from '../errors.ts'
import type { LiveExchange } from '../exchange.ts'
import { asJson, type Json } from '../mcp/json.ts'
import { METHODS } from '../mcp/methods.ts'
import { endOf } from '../metrics/exchanges.ts'
import type { Answer, Outcome, Resource } from '../plugin/index.ts'
import { EXECUTE_TOOL, SPAN, TOOL_ERROR } from './names.ts'
import type { Span } from './span.ts'

type Attributes = Span['attributes']

const KNOWN: ReadonlySet<string> = new Set(METHODS)
const NONE: Attributes = {}
/** Characters of what callers name. */
const LONGEST_NAME = 128
const LONGEST_CONTENT = 4096

/** Few of them: what a caller invents is in none. */
export function nameSpan(method: string, resource: Resource): string {
  if (!KNOWN.has(method)) return 'other'
  if (resource.kind === 'call' && resource.definition !== undefined) return `${method} ${resource.tool}`
  return resource.kind === 'prompt' && resource.definition !== undefined ? `${method} ${resource.prompt}` : method
}

export function describeCall(method: string, resource: Resource): Attributes {
  const { server = '', version } = 'server' in resource ? resource : {}
  const about: Attributes = {
    [SPAN.method]: cut(method),
    [SPAN.server]: server === '' ? undefined : cut(server),
    [SPAN.serverVersion]: version,
  }
  if (resource.kind === 'prompt') return { ...about, [SPAN.prompt]: cut(resource.prompt) }
  return resource.kind === 'call' ? { ...about, [SPAN.operation]: EXECUTE_TOOL, [SPAN.tool]: cut(resource.tool) } : about
}

/** Where a request goes. */
export function describePlace(server: ServerConfig): Attributes {
  if (server.kind === 'child') return { [SPAN.transport]: 'pipe' }
  if (server.kind === 'inner') return NONE
  const { hostname, port, protocol } = new URL(server.url)
  return { [SPAN.transport]: 'tcp', [SPAN.address]: hostname, [SPAN.port]: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

export function describeOutcome(x: LiveExchange, outcome: Outcome): Attributes {
  return {
    [SPAN.outcome]: endOf(outcome),
    [SPAN.decidedBy]: x.decision?.by.join(','),
    ...failureOf(outcome),
  }
}

/** Spec: semantic conventions for MCP, `error.type`: the code of the JSON-RPC error, or that the tool says it failed. */
function failureOf(outcome: Outcome): Attributes {
  switch (outcome.kind) {
    case 'answered':
      return outcome.isToolError ? { [SPAN.errorType]: TOOL_ERROR } : NONE
    case 'denied':
      return failureBy(outcome.decision.code ?? 'denied', undefined)
    case 'failed':
      return failureBy(outcome.code, outcome.answer)
    case 'cancelled':
      return { [SPAN.errorType]: 'cancelled' }
  }
}

function failureBy(code: string, answer: Answer | undefined): Attributes {
  const rpc = answer?.kind === 'error' ? codeOf(answer) : String(errors[isErrorCode(code) ? code : 'denied'].rpc)
  return { [SPAN.code]: code, [SPAN.errorType]: rpc, [SPAN.rpcStatus]: rpc }
}

/** Of the answer of a server, as it came. */
export function describeAnswer(answer: Answer | undefined, resource: Resource): Attributes {
  if (answer === undefined) return { [SPAN.errorType]: 'internal' }
  if (answer.kind === 'error') {
    const rpc = codeOf(answer)
    return { [SPAN.code]: answer.code, [SPAN.errorType]: rpc, [SPAN.rpcStatus]: rpc }
  }
  return resource.kind === 'call' && asJson(answer.payload).get('isError')?.value === true ? { [SPAN.errorType]: TOOL_ERROR } : NONE
}

function codeOf({ payload }: Answer): string {
  return cut(asJson(payload).get('code')?.text ?? 'unknown')
}

/** As the server and the client got them; nothing of what nobody has allowed, as nothing has masked it. */
export function describeContent(x: LiveExchange, outcome: Outcome, show: (text: string) => string): Attributes {
  if (outcome.kind === 'denied' || x.decision?.outcome !== 'allow') return NONE
  const { resource } = x
  const answer = 'answer' in outcome && outcome.answer?.kind === 'result' ? outcome.answer : undefined
  const uri = resource.kind === 'read' ? cutContent(show(resource.uri)) : undefined
  const isCall = resource.kind === 'call'
  return {
    [SPAN.uri]: uri,
    [SPAN.arguments]: isCall ? cutContent(show((x.sentArgs as Json).text)) : undefined,
    [SPAN.result]: isCall && answer !== undefined ? cutContent(show(asJson(answer.payload).text)) : undefined,
  }
}

function cut(text: string): string {
  return text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME)}…`
}

/** After masking: half of what must be masked would not be found. */
function cutContent(text: string): string {
  return text.length <= LONGEST_CONTENT ? text : `${text.slice(0, LONGEST_CONTENT)}…`
}
