// A uri that two servers have is called otherwise wherever a client meets it, and nowhere else is a uri touched.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import type { Script, ScriptOptions } from '../data-plane/script.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()

const tools = [
  '{"name":"show","inputSchema":{"type":"object"},"_meta":{"ui":{"resourceUri":"ui://app","x":1.0},"ui/resourceUri":"ui://app"}}',
  '{"name":"own","inputSchema":{},"_meta":{"ui":{"resourceUri":"ui://mine"}}}',
]
const options: ScriptOptions = {
  capabilities: '{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{}}',
  tools,
  on: {
    'resources/list': received =>
      received.result('{"resources":[{"uri":"x://same","name":"s"},{"uri":"ui://app","name":"a"},{"uri":"x://dir/","name":"d"}]}'),
    'resources/templates/list': received => received.result('{"resourceTemplates":[{"uriTemplate":"x://t/{id}","name":"t"}]}'),
    'resources/subscribe': received => received.result('{}'),
    'prompts/list': received => received.result('{"prompts":[{"name":"p"}]}'),
  },
}

async function start(): Promise<{ a: Script & { tell(text: string): void }; client: HttpClient; port: number }> {
  const [a, b] = [opened(await startStdioUpstream(options)), opened(await startHttpUpstream(options))]
  const gateway = opened(await startTestGateway({ servers: [a.server('a'), b.server('b')] }))
  return { a, client: await connectHttp(gateway), port: gateway.port }
}

const content = (same: string, app: string, t: string): string =>
  [
    `[{"type":"resource_link","uri":"${same}","name":"l","_meta":{"n":1.0}}`,
    `{"type":"resource","resource":{"uri":"${t}","text":"x://same","_meta":{"ui":{"resourceUri":"${app}"}}},"_meta":{"n":-0}}`,
    '{"type":"resource_link","uri":"x://elsewhere","name":"x://same"},{"type":"text","text":"x://same"},{"type":"odd","uri":"x://same"},7]',
  ].join(',')
const own = content('x://same', 'ui://app', 'x://t/1')
const shown = content('mcpgw-server:a/x://same', 'ui://mcpgw-server/a/app', 'mcpgw-server:a/x://t/1')

describe('a uri that two servers have', () => {
  it('is renamed in links, embedded resources and the metadata of apps, before the client has listed anything; other bytes stay', async () => {
    const { a, client } = await start()
    const rest = '"structuredContent":{"uri":"x://same","n":1.0},"_meta":{"x":1e400}'
    a.handlers.set('tools/call', received => received.result(`{"content":${own},${rest}}`))
    const { text } = await client.post(call(1, 'a__show'))
    expect(text).toBe(`{"jsonrpc":"2.0","id":1,"result":{"content":${shown},${rest}}}`)
  })

  it('is renamed for a stateless client too', async () => {
    const { a, port } = await start()
    a.handlers.set('tools/call', received => received.result(`{"content":${own}}`))
    const { result } = await visitHttp({ port }).ask('tools/call', { name: 'a__show' })
    expect(result.content).toEqual(JSON.parse(shown))
  })

  it('is renamed in prompts, of one block and of several', async () => {
    const { a, client } = await start()
    const messages = (blocks: string): string =>
      `[{"role":"user","content":${blocks}},{"role":"user","content":${blocks.slice(1, blocks.indexOf('},{') + 1)}}]`
    a.handlers.set('prompts/get', received => received.result(`{"messages":${messages(own)}}`))
    const { result } = await client.ask('prompts/get', { name: 'a__p' })
    expect(result.messages).toEqual(JSON.parse(messages(shown)))
  })

  it('is renamed in what is read, and is what the client asked for; so is the uri of an error', async () => {
    const { a, client } = await start()
    a.handlers.set('resources/read', ({ message, result, say, id }) => {
      const { uri } = message.params
      if (uri.endsWith('/none')) return say(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32002,"message":"none","data":{"uri":"${uri}"}}}`)
      result(`{"contents":[{"uri":"${uri}","text":""},{"uri":"x://same","text":""},{"uri":"x://only/here","text":""}]}`)
    })
    const read = async (uri: string) => client.ask('resources/read', { uri })
    const uris = async (uri: string) => (await read(uri)).result.contents.map((one: { uri: string }) => one.uri)
    expect(await uris('mcpgw-server:a/x://t/7')).toEqual(['mcpgw-server:a/x://t/7', 'mcpgw-server:a/x://same', 'x://only/here'])
    expect(await uris('ui://mcpgw-server/a/app')).toEqual(['ui://mcpgw-server/a/app', 'mcpgw-server:a/x://same', 'x://only/here'])
    expect(a.of('resources/read').map(one => one.message.params.uri)).toEqual(['x://t/7', 'ui://app'])
    expect((await read('mcpgw-server:a/x://t/none')).error.data.uri).toBe('mcpgw-server:a/x://t/none')
  })

  it('is renamed in the definition of a tool, where an app still is one', async () => {
    const { client } = await start()
    const { text } = await client.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    const app = tools[0]!.replaceAll('ui://app', 'ui://mcpgw-server/a/app').replace('"show"', '"a__show"')
    expect(text).toContain(app)
    expect(text).toContain('"ui://mcpgw-server/b/app"')
    expect(text.match(/ui:\/\/mcpgw-server\/[ab]\/mine/g)).toBe(null)
  })

  it('is renamed in updates, sub-resources and what came of a template included', async () => {
    const { a, client } = await start()
    const stream = await client.listen()
    const subscribed = ['mcpgw-server:a/x://same', 'mcpgw-server:a/x://t/7', 'mcpgw-server:a/x://dir/']
    for (const uri of subscribed) expect((await client.ask('resources/subscribe', { uri })).result).toEqual({})
    for (const uri of ['x://same', 'x://t/7', 'x://t/8', 'x://dir/sub'])
      a.tell(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"${uri}"}}`)
    const told = [await stream.next(), await stream.next(), await stream.next()].map(one => one.params.uri)
    expect(told).toEqual(['mcpgw-server:a/x://same', 'mcpgw-server:a/x://t/7', 'mcpgw-server:a/x://dir/sub'])
  })
})

it('a server that keeps its list to itself holds up nobody who was answered by another', { timeout: 8000 }, async () => {
  const [a, b] = [opened(await startStdioUpstream(options)), opened(await startHttpUpstream(options))]
  for (const list of ['resources/list', 'resources/templates/list']) b.handlers.set(list, () => {})
  const client = await connectHttp(opened(await startTestGateway({ servers: [a.server('a'), b.server('b')] })))
  a.handlers.set('tools/call', received => received.result(`{"content":${own}}`))
  const answers = await Promise.all([client.post(call(1, 'a__show')), b.next('resources/list')])
  expect(answers[0].text).toBe(`{"jsonrpc":"2.0","id":1,"result":{"content":${own}}}`)
})

it('for a client with servers of its own, which start when they are used, both are known once both are', async () => {
  const [a, b] = [opened(await startStdioUpstream(options)), opened(await startHttpUpstream(options))]
  const gateway = opened(await startTestGateway({ servers: [a.server('a'), b.server('b')] }))
  const client = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
  for (const upstream of [a, b]) upstream.handlers.set('tools/call', received => received.result(`{"content":${own}}`))
  await client.post(call(1, 'a__show'))
  await client.post(call(1, 'b__show'))
  expect((await client.post(call(1, 'a__show'))).text).toBe(`{"jsonrpc":"2.0","id":1,"result":{"content":${shown}}}`)
})

it('a link stays as it is where one server alone has it', async () => {
  const a = opened(await startStdioUpstream(options))
  const b = opened(await startHttpUpstream())
  const client = await connectHttp(opened(await startTestGateway({ servers: [a.server('a'), b.server('b')] })))
  a.handlers.set('tools/call', received => received.result(`{"content":${own}}`))
  expect((await client.post(call(1, 'a__show'))).text).toBe(`{"jsonrpc":"2.0","id":1,"result":{"content":${own}}}`)
})

it('a server that wants a url opened before it goes on is passed on with https alone', async () => {
  const upstream = opened(await startHttpUpstream())
  const client = await connectHttp(opened(await startTestGateway({ servers: [upstream.server('up')] })), {
    capabilities: '{"elicitation":{"url":{}}}',
  })
  const want = async (url: string) => {
    const elicitations = `[{"mode":"url","elicitationId":"e","url":"https://a.example/","message":""},{"mode":"url","elicitationId":"f","url":${JSON.stringify(url)},"message":""}]`
    const error = `{"code":-32042,"message":"open it","data":{"elicitations":${elicitations}}}`
    upstream.handlers.set('tools/call', received => received.answer(`{"jsonrpc":"2.0","id":${received.id},"error":${error}}`))
    const { text } = await client.post(call(1, 'up__echo'))
    return text === `{"jsonrpc":"2.0","id":1,"error":${error}}` ? 'passed on' : JSON.parse(text).error.data.mcpgw.code
  }
  expect(await want('https://b.example/x?y#z')).toBe('passed on')
  // One that no parser has to be asked about: its host alone would keep it busy for hours.
  const foreign = Array.from({ length: 500_000 }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 131) % 20_000))).join('')
  expect(await want(`https://${foreign}/`)).toBe('passed on')
  for (const url of ['http://b.example/', 'javascript:alert(1)', 'file:///etc/passwd', ' data:text/html,x', 'b.example', ''])
    expect(await want(url)).toBe('denied')
})
