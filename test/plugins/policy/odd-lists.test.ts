// Case 15: whatever form a server gives its list, the name of a tool that is denied never reaches the client.
import { describe, expect, test } from 'vitest'
import { connectHttp } from '../../core/data-plane/clients.ts'
import { type HttpReceived, startHttpUpstream } from '../../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../../core/data-plane/opened.ts'
import { startPolicyGateway } from './policy-gateway.ts'

const opened = closeAfterEach()
const POLICY = 'policy "desk" edition 1\nallow support {\n  who  role support\n  call up/get\n}\n'
const DENIED = 'launch-missiles'
const tool = (name: string): string => `{"name":"${name}","description":"${name}","inputSchema":{"type":"object"}}`
const listOf = (id: string): string =>
  `{"jsonrpc":"2.0","id":${id},"result":{"tools":[${tool(DENIED)},${tool('get')},${tool(`${DENIED}-2`)}]}}`
const progress = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"listing"}}'
const changed = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'

interface Form {
  readonly type?: string
  readonly status?: number
  body(id: string): string
  /** The list cannot be had: nothing of the server is shown. */
  readonly unreadable?: true
}

const forms: Record<string, Form> = {
  'as JSON': { type: 'application/json', body: listOf },
  'as a batch of one': { type: 'application/json', body: id => `[${listOf(id)}]` },
  'in a batch behind a notification': { type: 'application/json', body: id => `[${progress},${listOf(id)}]` },
  'as an event': { body: id => `data: ${listOf(id)}\n\n` },
  'behind a notification': { body: id => `data: ${progress}\n\ndata: ${listOf(id)}\n\n` },
  'behind a change of itself': { body: id => `data: ${changed}\n\ndata: ${listOf(id)}\n\n` },
  'in a batch of an event': { body: id => `data: [${progress},${listOf(id)}]\n\n` },
  'split over lines of data': { body: id => `data: ${listOf(id).replaceAll(',', ',\ndata: ')}\n\n` },
  'with mixed line ends': { body: id => `event: message\r\ndata: ${listOf(id)}\r\r\n` },
  'behind a byte order mark': { body: id => `\ufeffdata: ${listOf(id)}\n\n` },
  'among comments, ids and retries': { body: id => `: x\nid: 1\nretry: 5\ndata: ${listOf(id)}\n\n` },
  'with another status': { status: 201, body: id => `data: ${listOf(id)}\n\n` },
  'with its type in another case': { type: 'Text/Event-Stream;Charset=UTF-8', body: id => `data: ${listOf(id)}\n\n` },
  'with names in escapes': { body: id => `data: ${listOf(id).replaceAll('l', '\\u006c')}\n\n` },
  twice: { body: id => `data: ${listOf(id)}\n\ndata: ${listOf(id)}\n\n` },
  'behind data that cannot be read': {
    body: id => `data: {"jsonrpc":"2.0","tools":["${DENIED}"\n\ndata: ${listOf(id)}\n\n`,
    unreadable: true,
  },
  'with white space of Unicode in it': { body: id => `data:\u00a0${listOf(id)}\n\n`, unreadable: true },
  'with a result and an error': {
    body: id => `data: ${listOf(id).slice(0, -1)},"error":{"code":-32000,"message":"${DENIED}"}}\n\n`,
    unreadable: true,
  },
  'with the list twice in one message': {
    body: id => `data: ${listOf(id).slice(0, -1)},"result":{"tools":[]}}\n\n`,
    unreadable: true,
  },
}

describe('a list that comes', () => {
  test.each(Object.entries(forms))(
    '%s has what is allowed, or nothing, and never what is denied',
    async (_, { type, status, body, unreadable }) => {
      const upstream = opened(
        await startHttpUpstream({
          on: {
            'tools/list': received => {
              const { response, id } = received as HttpReceived
              response.writeHead(status ?? 200, { 'content-type': type ?? 'text/event-stream' }).end(body(String(id)))
            },
          },
        }),
      )
      const gateway = opened(await startPolicyGateway([upstream.server('up')], POLICY))
      const client = await connectHttp(gateway, { headers: { authorization: 'support' } })
      const answer = await client.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
      expect(answer.text).not.toMatch(/launch|missiles|\\u006caunch/)
      const { result } = JSON.parse(answer.messages.at(-1) ?? '{}') as { result: { tools: { name: string }[] } }
      expect(result.tools.map(({ name }) => name)).toEqual(unreadable === true ? [] : ['up__get'])
      const called = await client.ask('tools/call', { name: `up__${DENIED}`, arguments: {} })
      const nothing = await client.ask('tools/call', { name: 'up__nothing', arguments: {} })
      expect(called.error.data.mcpgw.code).toBe(nothing.error.data.mcpgw.code)
      expect(upstream.of('tools/call')).toEqual([])
    },
  )
})
