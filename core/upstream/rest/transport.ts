// A plain HTTP server as an MCP server: its tools are listed here, and each call of one is one request to it.
import { Json, type JsonLimits } from '../../mcp/json.ts'
import { writeError, writeResult } from '../../mcp/message.ts'
import { type CallEnd, createInProcessTransport } from '../in-process.ts'
import type { Sender } from '../remote/authorized.ts'
import { type HttpTransportOptions, senderOf } from '../remote/http.ts'
import { lowerCased } from '../remote/http-headers.ts'
import type { Transport } from '../transport.ts'
import { resultOf, textResult } from './answer.ts'
import { requestOf } from './request.ts'
import { sendRequest } from './send.ts'
import type { RestTool } from './tool.ts'

export interface RestTransportOptions extends Omit<HttpTransportOptions, 'log' | 'maxBytes'> {
  readonly name: string
  readonly tools: readonly RestTool[]
  readonly limits: JsonLimits
}

const ACCEPT = 'application/json, text/*;q=0.5, */*;q=0.1'
const NO_ARGUMENTS = Json.of({})

export function createRestTransport({ name, tools, limits, ...options }: RestTransportOptions): Transport {
  const byName = new Map(tools.map(tool => [tool.name, tool]))
  const base = { url: options.url, headers: { accept: ACCEPT, ...lowerCased(options.headers) } }
  // The text and the value of an answer both stand in the result.
  const maxBytes = Math.floor(limits.bytes / 3)
  let sender: Sender

  return createInProcessTransport({
    info: { name, version: '1' },
    async open() {
      sender = await senderOf(options)
    },
    listTools: () => listOf(tools),
    async call({ id, params }, { behalf }, signal): Promise<CallEnd> {
      const tool = byName.get(params?.string('name') ?? '')
      if (tool === undefined) return { message: writeError(id, { code: -32602, message: 'unknown tool' }) }
      const args = params?.get('arguments') ?? NO_ARGUMENTS
      const request = args.type === 'object' ? requestOf(tool, base, args) : 'the arguments must be an object'
      // Spec: server/tools, "Error Handling": what a model can mend is an error of the tool.
      if (typeof request === 'string') return { message: writeResult(id, textResult(`Nothing was sent: ${request}`, true)) }
      const response = await sendRequest(sender, request, { behalf, maxBytes, signal })
      if (!('body' in response)) return response
      const result = resultOf(response, limits, tool.definition.outputSchema !== undefined)
      return result instanceof Json ? { message: writeResult(id, result), isUnwell: response.status >= 500 } : result
    },
  })
}

const lists = new WeakMap<readonly RestTool[], Json>()

/** Written once for all lanes. */
function listOf(tools: readonly RestTool[]): Json {
  let list = lists.get(tools)
  if (list === undefined) {
    list = Json.of(tools.map(({ definition }) => definition))
    lists.set(tools, list)
  }
  return list
}
