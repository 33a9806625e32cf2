// Requests of servers to clients: the right client, the right stream, each id translated back, and nobody is asked who did not say he can.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, connectStdio } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
async function gatewayTo(servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ servers, ...more })
  opened(gateway)
  return gateway
}

const able = '{"sampling":{},"roots":{"listChanged":true},"elicitation":{}}'
const sample = (id: string, more = ''): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"sampling/createMessage","params":{"n":9007199254740993${more}}}`
const answerTo = (id: unknown, result: string): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
const on = { 'tools/call': leaveOpen }

describe('a server asks over HTTP', () => {
  it('on the stream of the call during which it asks, and gets the answer under its own id', async () => {
    const upstream = opened(await startHttpUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')])
    const [alice, bob] = [await connectHttp(gateway, { capabilities: able }), await connectHttp(gateway, { capabilities: able })]
    const standing = [await alice.listen(), await bob.listen()]
    const bobs = bob.start(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    const alices = alice.start(call(1, 'up__echo'))
    await upstream.next('tools/call')
    received.say(sample('"q-1"'))
    const stream = await bobs
    const asked = await stream.next()
    expect(asked.params.n).toBe(9007199254740992)
    expect(stream.messages[0]).toContain('"params":{"n":9007199254740993}')
    expect((await bob.post(answerTo(asked.id, '{"role":"assistant","n":1.0}'))).status).toBe(202)
    const back = await upstream.next('')
    expect(back.text).toBe('{"jsonrpc":"2.0","id":"q-1","result":{"role":"assistant","n":1.0}}')
    received.result('{"content":[]}')
    expect((await stream.next()).result).toEqual({ content: [] })
    upstream.of('tools/call')[1]!.result('{"content":[]}')
    expect((await (await alices).done).messages).toHaveLength(1)
    expect(standing.flatMap(one => one.messages)).toEqual([])
  })

  it('on its standing stream where nothing is under way, to the client of that session', async () => {
    const upstream = opened(await startHttpUpstream({ stream: true }))
    const gateway = await gatewayTo([upstream.server('up')])
    const [alice, bob] = [await connectHttp(gateway, { capabilities: able }), await connectHttp(gateway, { capabilities: able })]
    const [alices, bobs] = [await alice.listen(), await bob.listen()]
    await alice.ask('tools/list')
    await bob.ask('tools/list')
    await until(() => upstream.streams.size === 3)
    const bobStream = [...upstream.streams].at(-1)!
    bobStream.write(`data: ${sample('1')}\n\n`)
    const asked = await bobs.next()
    expect(asked.method).toBe('sampling/createMessage')
    await bob.post(answerTo(asked.id, '{}'))
    expect((await upstream.next('')).text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}')
    expect(alices.messages).toEqual([])
  })

  it('with the answer of another session: it is not taken', async () => {
    const upstream = opened(await startHttpUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')])
    const [alice, bob] = [await connectHttp(gateway, { capabilities: able }), await connectHttp(gateway, { capabilities: able })]
    const stream = alice.start(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say(sample('"q"'))
    const asked = await (await stream).next()
    await bob.post(answerTo(asked.id, '{"from":"bob"}'))
    await alice.post(answerTo(asked.id, '{"from":"alice"}'))
    await alice.post(answerTo(asked.id, '{"from":"alice again"}'))
    expect((await upstream.next('')).message.result).toEqual({ from: 'alice' })
    received.result('{}')
    await (await stream).done
    expect(upstream.of('')).toHaveLength(1)
  })
})

describe('a server asks over standard streams', () => {
  it('gets client and error of its own: equal ids of two servers do not clash', async () => {
    const one = opened(await startStdioUpstream({ on }))
    const two = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([one.server('one'), two.server('two')], { stdio: true })
    const client = await connectStdio(gateway, { capabilities: able })
    client.write(call(1, 'one__echo'))
    client.write(call(2, 'two__echo'))
    const [first, second] = [await one.next('tools/call'), await two.next('tools/call')]
    first.say(sample('5', ',"who":1'))
    second.say(sample('5', ',"who":2'))
    const asked = [1, 2].map(who => client.find(message => message.params?.who === who))
    const [a, b] = [await asked[0]!, await asked[1]!]
    expect(a.id).not.toBe(b.id)
    client.write(answerTo(b.id, '{"to":2}'))
    client.write(`{"jsonrpc":"2.0","id":${a.id},"error":{"code":-1,"message":"user said no","data":1.0}}`)
    expect((await one.next('')).text).toBe('{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"user said no","data":1.0}}')
    expect((await two.next('')).text).toBe('{"jsonrpc":"2.0","id":5,"result":{"to":2}}')
  })

  it('progress of the client reaches that server with its own token, typed as it was', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')], { stdio: true })
    const client = await connectStdio(gateway, { capabilities: able })
    client.write(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say(sample('1', ',"_meta":{"progressToken":"own"}'))
    const asked = await client.find(message => message.method === 'sampling/createMessage')
    expect(asked.params._meta.progressToken).not.toBe('own')
    client.write(
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${JSON.stringify(asked.params._meta.progressToken)},"progress":1.0}}`,
    )
    expect((await upstream.next('notifications/progress')).text).toContain('{"progressToken":"own","progress":1.0}')
    client.write(answerTo(asked.id, '{}'))
    await upstream.next('')
    client.write('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}')
    await client.ask('ping')
    expect(upstream.of('notifications/progress')).toHaveLength(1)
  })

  it('and takes it back: the client is told, under our id, and nothing is answered', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')], { stdio: true })
    const client = await connectStdio(gateway, { capabilities: able })
    client.write(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say(sample('"q"'))
    const asked = await client.find(message => message.method === 'sampling/createMessage')
    received.say('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"unknown"}}')
    received.say('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q"}}')
    const told = await client.find(message => message.method === 'notifications/cancelled')
    expect(told.params.requestId).toBe(asked.id)
    client.write(answerTo(asked.id, '{}'))
    await client.ask('ping')
    expect(upstream.of('')).toEqual([])
  })

  it('a client that goes away leaves the server with an error, not without an answer', async () => {
    const upstream = opened(await startHttpUpstream({ on, stream: true }))
    const gateway = await gatewayTo([upstream.server('up', { timeout: { startMs: 5000, callMs: 5000, idleMs: 0 } })])
    const client = await connectHttp(gateway, { capabilities: able })
    const stream = client.start(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say(sample('"q"'))
    await (await stream).next()
    received.result('{"content":[]}')
    await (await stream).done
    await upstream.listening()
    await until(() => upstream.streams.size === 2)
    // The call is over and the client has no standing stream: there is no way to it.
    ;[...upstream.streams].at(-1)!.write(`data: ${sample('"r"')}\n\n`)
    const refused = await upstream.next('')
    expect([refused.message.id, refused.message.error.data.mcpgw.code]).toEqual(['r', 'client-gone'])
  })

  it('a client that did not declare it is not asked', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')], { stdio: true })
    const client = await connectStdio(gateway, { capabilities: '{"sampling":{}}' })
    client.write(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    for (const method of ['elicitation/create', 'roots/list']) {
      received.say(`{"jsonrpc":"2.0","id":"${method}","method":"${method}","params":{}}`)
      expect((await upstream.next('')).message).toMatchObject({ id: method, error: { code: -32601 } })
    }
    expect(client.lines.filter(line => line.includes('elicitation') || line.includes('roots/list'))).toEqual([])
  })

  it('a client that declared nothing is asked nothing, and the process that others share learns of no client', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up', { shared: true })], { stdio: true })
    const plain = await connectHttp(gateway)
    const client = await connectStdio(gateway, { capabilities: able })
    expect(upstream.of('initialize')[0]!.message.params.capabilities).toEqual({})
    const calls = [plain.post(call(1, 'up__echo')), Promise.resolve(client.write(call(2, 'up__echo')))]
    await until(() => upstream.of('tools/call').length === 2)
    const asked: string[] = ['sampling/createMessage', 'roots/list', 'x/own']
    for (const method of asked) {
      upstream.tell(`{"jsonrpc":"2.0","id":"${method}","method":"${method}","params":{"secret":"of somebody"}}`)
      expect((await upstream.next('')).message).toMatchObject({ id: method, error: { code: -32601 } })
    }
    for (const received of upstream.of('tools/call')) received.result('{}')
    await calls[0]
    await client.ask('ping')
    expect(client.lines.filter(line => line.includes('of somebody'))).toEqual([])
  })

  it('two clients that can be asked have a process each: the server of one cannot ask the other', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')])
    const [alice, bob] = [await connectHttp(gateway, { capabilities: able }), await connectHttp(gateway, { capabilities: '{"roots":{}}' })]
    const alices = alice.start(call(1, 'up__echo'))
    const first = await upstream.next('tools/call')
    const bobs = bob.start(call(1, 'up__echo'))
    const second = await upstream.next('tools/call')
    expect(first.session).not.toBe(second.session)
    first.say(sample('1'))
    const asked = await (await alices).next()
    await alice.post(answerTo(asked.id, '{}'))
    expect((await upstream.next('')).session).toBe(first.session)
    for (const received of [first, second]) received.result('{"content":[]}')
    expect((await (await bobs).done).messages).toHaveLength(1)
  })

  it('ping is answered by the gateway, a second request under an open id is refused, and a flood of requests is bounded', async () => {
    const upstream = opened(await startStdioUpstream({ on }))
    const gateway = await gatewayTo([upstream.server('up')], { stdio: true })
    const client = await connectStdio(gateway, { capabilities: able })
    client.write(call(1, 'up__echo'))
    const received = await upstream.next('tools/call')
    received.say('{"jsonrpc":"2.0","id":"p","method":"ping"}')
    expect((await upstream.next('')).text).toBe('{"jsonrpc":"2.0","id":"p","result":{}}')
    received.say(sample('1'))
    received.say(sample('1'))
    expect((await upstream.next('')).message).toMatchObject({ id: 1, error: { code: -32600 } })
    for (let id = 2; id < 1200; id++) received.say(sample(String(id)))
    received.say('{"jsonrpc":"2.0","id":"after","method":"ping"}')
    await until(() => upstream.of('').some(one => one.message.id === 'after'))
    const asked = client.lines.filter(line => line.includes('sampling/createMessage')).length
    expect(asked).toBe(100)
    expect(asked + upstream.of('').filter(one => one.message.error !== undefined).length).toBe(1200)
  })
})

it('a request to the client passes the hooks as an exchange of its own, under the call that caused it', async () => {
  const seen: string[] = []
  const watch = plugin('watch', [], {
    onRequest(x) {
      seen.push(`${x.direction} ${x.action} ${x.parentId === undefined ? 'alone' : 'within'}`)
      return x.action === 'elicitation/create' ? { kind: 'deny', code: 'denied', reason: 'not here' } : { kind: 'pass' }
    },
  })
  const upstream = opened(await startHttpUpstream({ on }))
  const gateway = await gatewayTo([upstream.server('up')], { plugins: [watch] })
  const client = await connectHttp(gateway, { capabilities: able })
  const stream = client.start(call(1, 'up__echo'))
  const received: Received = await upstream.next('tools/call')
  received.say('{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}')
  expect((await upstream.next('')).message.error).toMatchObject({ code: 42003, message: 'not here' })
  received.result('{}')
  expect((await (await stream).done).messages).toHaveLength(1)
  expect(seen).toContain('to-client elicitation/create within')
})

it('a url is shown to a person only where the client opens urls, and only https', async () => {
  const upstream = opened(await startStdioUpstream())
  const gateway = await gatewayTo([upstream.server('up')], { stdio: true })
  const client = await connectStdio(gateway, { capabilities: '{"sampling":{},"elicitation":{"url":{}}}' })
  await client.ask('tools/list')
  const asks: [string, string][] = [
    ...[
      'javascript:alert(1)',
      'file:///etc/passwd',
      'http://phish.example/',
      ' data:text/html,x',
      '//x.example',
      'https://',
      'https://a\\@b.example',
      'https:\t//x.example',
      '',
    ].map((url): [string, string] => ['elicitation/create', JSON.stringify({ mode: 'url', message: 'm', elicitationId: 'e', url })]),
    ['elicitation/create', '{"mode":"url","message":"no url"}'],
    ['sampling/createMessage', '{"messages":[],"maxTokens":1,"tools":[]}'],
  ]
  // The first process is the one that belongs to no client.
  const tell = (text: string): unknown => [...upstream.processes.values()].at(-1)!.write(`${text}\n`)
  for (const [i, [method, params]] of asks.entries()) {
    tell(`{"jsonrpc":"2.0","id":"bad-${i}","method":"${method}","params":${params}}`)
  }
  for (const _ of asks) expect(['denied', 'client-cannot']).toContain((await upstream.next('')).message.error.data.mcpgw.code)
  tell(
    '{"jsonrpc":"2.0","id":"ok","method":"elicitation/create","params":{"mode":"url","message":"m","elicitationId":"e","url":"https://x.example/"}}',
  )
  expect((await client.find(message => message.method === 'elicitation/create')).params.url).toBe('https://x.example/')
  expect(client.lines.filter(line => line.includes('elicitation/create') || line.includes('sampling'))).toHaveLength(1)
})
