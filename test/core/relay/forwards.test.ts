// Everything that the protocol has goes through, both ways: each era and transport of a client in front of each of a server.
import { describe, expect, it } from 'vitest'
import { type Opened, talkHttp, talkLines } from '../../fuzz/talkers.ts'
import { startTestGateway, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Handler, Received, ScriptOptions } from '../data-plane/script.ts'
import { envelope } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

// biome-ignore lint/suspicious/noExplicitAny: messages are looked into freely
type Any = any

const opened = closeAfterEach()
const eras = ['legacy', 'modern'] as const
const transports = ['http', 'stdio'] as const
type Era = (typeof eras)[number]

const ABLE = '{"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'
const OFFERS =
  '{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{"listChanged":true},"completions":{},"logging":{}}'
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
const extras = { title: 'T', icons: [{ src: 'data:,x', sizes: ['any'], theme: 'dark' }], _meta: { 'x.test/a': { deep: [1] } } }
const tool = { inputSchema: { type: 'object' }, outputSchema: { type: 'array' }, annotations: { readOnlyHint: true }, ...extras }
const lists: Readonly<Record<string, object>> = {
  'tools/list': { tools: [{ name: 't', ...tool }] },
  'resources/list': { resources: [{ uri: 'x://r', name: 'r', annotations: { audience: ['user'] }, size: 1, ...extras }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'x://t/{a}', name: 'tt', ...extras }] },
  'prompts/list': { prompts: [{ name: 'p', arguments: [{ name: 'a', required: true }], ...extras }] },
}
const answers: Readonly<Record<string, object>> = {
  'resources/read': { contents: [{ uri: 'x://r', blob: 'AA==', mimeType: 'a/b', _meta: { a: 1 } }], _meta: { b: 1 } },
  'prompts/get': { description: 'd', messages: [{ role: 'user', content: { type: 'image', data: 'AA==', mimeType: 'a/b' } }] },
  'completion/complete': { completion: { values: ['ada'], total: 3, hasMore: true } },
}
/** What a server asks in a call, and what the client says to it. */
const questions: Readonly<Record<string, { method: string; params: object; reply: object }>> = {
  'sampling with tools': {
    method: 'sampling/createMessage',
    params: {
      messages: [{ role: 'user', content: { type: 'text', text: 'x' } }],
      maxTokens: 1,
      tools: [{ name: 'a', inputSchema: {} }],
      toolChoice: { mode: 'auto' },
    },
    reply: { role: 'assistant', model: 'm', stopReason: 'toolUse', content: [{ type: 'tool_use', id: '1', name: 'a', input: {} }] },
  },
  'elicitation with a form': {
    method: 'elicitation/create',
    params: { mode: 'form', message: 'm', requestedSchema: { type: 'object', properties: { a: { type: 'string', enum: ['b'] } } } },
    reply: { action: 'accept', content: { a: 'b' } },
  },
  'elicitation with a url': {
    method: 'elicitation/create',
    params: { mode: 'url', message: 'm', url: 'https://a.example/', elicitationId: 'e' },
    reply: { action: 'decline' },
  },
  roots: { method: 'roots/list', params: {}, reply: { roots: [{ uri: 'file:///r', name: 'r', _meta: { a: 1 } }] } },
}

const json = (value: unknown): string => JSON.stringify(value)

function serverOf(era: Era): ScriptOptions {
  const say: (result: object) => Handler = result => received =>
    received.result(json({ ...result, ...(era === 'modern' && { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }) }))
  const asking = new Map<string, Received>()
  return {
    capabilities: OFFERS,
    ...(era === 'modern' && { modern: OFFERS }),
    on: {
      ...Object.fromEntries(Object.entries({ ...lists, ...answers }).map(([method, result]) => [method, say(result)])),
      'logging/setLevel': say({}),
      'resources/subscribe': say({}),
      'tools/call'(received) {
        const { arguments: args, _meta, inputResponses, requestState } = received.message.params
        const finish = (structuredContent: unknown): void =>
          say({ content: [], structuredContent, isError: true, _meta: { c: 1 } })(received)
        if (args.ask === undefined) {
          for (const progress of [1, 2])
            received.say(
              json({
                jsonrpc: '2.0',
                method: 'notifications/progress',
                params: { progressToken: _meta.progressToken, progress, total: 2 },
              }),
            )
          received.say(json({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', logger: 'l', data: { d: 1 } } }))
          return finish([1])
        }
        const { method, params } = questions[args.ask]!
        if (era === 'modern') {
          if (requestState === 'mine') return finish(inputResponses.one)
          return received.result(json({ resultType: 'input_required', inputRequests: { one: { method, params } }, requestState: 'mine' }))
        }
        asking.set('q', received)
        received.say(json({ jsonrpc: '2.0', id: 'q', method, params }))
      },
      ''({ message }) {
        const received = asking.get(message.id)
        asking.delete(message.id)
        if (received !== undefined) say({ content: [], structuredContent: message.result, isError: true, _meta: { c: 1 } })(received)
      },
      'subscriptions/listen'(received) {
        const { notifications } = received.message.params
        const params = { notifications, _meta: { [SUBSCRIPTION]: received.message.id } }
        received.say(json({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }))
      },
    },
  }
}

/** A client that answers what it is asked, in the way of its era. */
function clientOf(talker: Opened, era: Era) {
  const heard: Any[] = []
  const asked: Any[] = []
  const waiting = new Map<number, (message: Any) => void>()
  let next = 1
  const reply = (request: { method: string; params?: object }): object => {
    asked.push(request)
    return Object.values(questions).find(
      ({ method, params }) => method === request.method && (params as Any).mode === (request.params as Any)?.mode,
    )!.reply
  }
  talker.heard = text => {
    const message = JSON.parse(text)
    if (message.method === undefined) waiting.get(message.id)?.(message)
    else if (message.id === undefined) heard.push(message)
    else talker.send(json({ jsonrpc: '2.0', id: message.id, result: reply(message) }))
  }
  const send = (method: string, params: Any): Promise<Any> => {
    const id = next++
    const meta =
      era === 'modern' ? { ...params._meta, ...envelope(ABLE, 'test'), 'io.modelcontextprotocol/logLevel': 'debug' } : params._meta
    talker.send(json({ jsonrpc: '2.0', id, method, params: { ...params, ...(meta && { _meta: meta }) } }))
    return new Promise(resolve => waiting.set(id, resolve))
  }
  return {
    heard,
    asked,
    send,
    async ask(method: string, params: object = {}): Promise<Any> {
      let { result, error } = await send(method, params)
      while (result?.resultType === 'input_required') {
        const inputResponses = Object.fromEntries(Object.entries<Any>(result.inputRequests).map(([key, request]) => [key, reply(request)]))
        ;({ result, error } = await send(method, { ...params, inputResponses, requestState: result.requestState }))
      }
      if (error !== undefined) throw new Error(json(error))
      // What one of the eras adds to each result.
      const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...rest } = result
      return rest
    },
    told: async (method: string): Promise<Any> => {
      await until(() => heard.some(message => message.method === method))
      return heard.find(message => message.method === method)
    },
  }
}

for (const [era, way] of eras.flatMap(one => transports.map(other => [one, other] as const))) {
  describe.each(eras.flatMap(one => transports.map(other => [one, other] as const)))(
    `a ${era} client over ${way}, a %s server over %s`,
    (serverEra, serverWay) => {
      async function start() {
        const options = serverOf(serverEra)
        const http = serverWay === 'http' ? opened(await startHttpUpstream({ ...options, stream: true })) : undefined
        const upstream = http ?? opened(await startStdioUpstream(options))
        const other = opened(await startHttpUpstream())
        const servers = [upstream.server('up', { protocol: 'auto' }), other.server('other')]
        const gateway = opened(await startTestGateway({ servers, stdio: true }))
        const talker = way === 'http' ? await talkHttp(gateway.port, '/mcp', era) : await talkLines(gateway.output, gateway.input, era)
        return { upstream, http, client: clientOf(talker, era) }
      }

      it('lists, calls, reads, gets, completes; with progress and log messages', async () => {
        const { upstream, client } = await start()
        for (const [method, list] of Object.entries(lists)) {
          const [[field, entries]] = Object.entries<Any>(list) as [[string, Any[]]]
          const shown = entries.map(one => (field === 'tools' || field === 'prompts' ? { ...one, name: `up__${one.name}` } : one))
          expect((await client.ask(method))[field].filter((one: Any) => one.name !== 'other__echo')).toEqual(shown)
        }
        expect(
          await client.ask('tools/call', { name: 'up__t', arguments: { a: [] }, _meta: { progressToken: 'p', 'x.test/a': 1 } }),
        ).toEqual({
          content: [],
          structuredContent: [1],
          isError: true,
          _meta: { c: 1 },
        })
        const called = upstream.of('tools/call')[0]!.message.params
        expect([called.name, called.arguments, called._meta['x.test/a']]).toEqual(['t', { a: [] }, 1])
        expect((await client.told('notifications/message')).params).toEqual({ level: 'error', logger: 'l', data: { d: 1 } })
        const progress = client.heard.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params)
        expect(progress).toEqual([1, 2].map(n => ({ progressToken: 'p', progress: n, total: 2 })))
        const params: Readonly<Record<string, object>> = {
          'resources/read': { uri: 'x://r' },
          'prompts/get': { name: 'up__p', arguments: { a: 'b' } },
          'completion/complete': {
            ref: { type: 'ref/prompt', name: 'up__p' },
            argument: { name: 'a', value: 'b' },
            context: { arguments: {} },
          },
        }
        for (const [method, answer] of Object.entries(answers)) {
          expect(await client.ask(method, params[method])).toEqual(answer)
          const { _meta, ...sent } = upstream.of(method)[0]!.message.params
          expect(sent).toEqual(JSON.parse(json(params[method]).replace('up__p', 'p')))
        }
      })

      it('is asked for sampling with tools, by form, by url, for roots', async () => {
        const { client } = await start()
        for (const [ask, { params, reply }] of Object.entries(questions)) {
          const result = await client.ask('tools/call', { name: 'up__t', arguments: { ask } })
          expect({ ask, got: result.structuredContent }).toEqual({ ask, got: reply })
          expect(client.asked.at(-1).params ?? {}).toMatchObject(params)
        }
        expect(client.asked).toHaveLength(Object.keys(questions).length)
      })

      it('hears of changed lists and updated resources', async () => {
        const { upstream, http, client } = await start()
        await client.ask('tools/list')
        if (era === 'modern') {
          const notifications = {
            toolsListChanged: true,
            promptsListChanged: true,
            resourcesListChanged: true,
            resourceSubscriptions: ['x://r'],
          }
          void client.send('subscriptions/listen', { notifications })
          await client.told('notifications/subscriptions/acknowledged')
        } else await client.ask('resources/subscribe', { uri: 'x://r' })
        if (serverEra === 'legacy') await http?.listening()
        const tell = (method: string, params?: object): void => {
          if (serverEra === 'legacy') return upstream.tell(json({ jsonrpc: '2.0', method, params }))
          for (const one of upstream.of('subscriptions/listen'))
            one.say(json({ jsonrpc: '2.0', method, params: { ...params, _meta: { [SUBSCRIPTION]: one.message.id } } }))
        }
        if (serverEra === 'modern')
          await until(() => upstream.of('subscriptions/listen').some(one => json(one.message.params.notifications).includes('x://r')))
        tell('notifications/resources/updated', { uri: 'x://r' })
        expect((await client.told('notifications/resources/updated')).params.uri).toBe('x://r')
        for (const list of ['tools', 'resources', 'prompts']) {
          tell(`notifications/${list}/list_changed`)
          await client.told(`notifications/${list}/list_changed`)
        }
      })
    },
  )
}
