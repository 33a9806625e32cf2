// Clients that lose a stream and come back: they get what they missed, the answer included, and nothing that was not theirs.
import { describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient, type Streaming } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, type TestGateway, type TestGatewayOptions, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, type HttpUpstreamOptions, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen, type Received } from '../data-plane/script.ts'

const opened = closeAfterEach()
const said = (n: number): string => `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${n}}}`
const dataOf = (messages: readonly string[]): unknown[] =>
  messages.map(text => JSON.parse(text).params?.data ?? JSON.parse(text).result ?? text)

interface World {
  readonly upstream: HttpUpstream
  readonly gateway: TestGateway
}

async function world(more: Partial<TestGatewayOptions> = {}, of: HttpUpstreamOptions = {}): Promise<World> {
  const upstream = opened(await startHttpUpstream({ stream: true, on: { 'tools/call': leaveOpen }, ...of }))
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up')], ...more }))
  return { upstream, gateway }
}

/** A call that has said something already, so that it streams. */
async function begin({ upstream }: World, client: HttpClient, id = 1): Promise<{ stream: Streaming; received: Received }> {
  const starting = client.start(call(id, 'up__echo'))
  const received = await upstream.next('tools/call')
  received.say(said(0))
  const stream = await starting
  await stream.next()
  return { stream, received }
}

const answered = '{"content":[]}'
const last = (stream: Streaming): string => stream.ids.at(-1)!

describe('a call whose client hung up', () => {
  it('goes on; who comes back gets what was said meanwhile, the answer included, and the stream ends', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway)
    const { stream, received } = await begin(all, client)
    stream.drop()
    await stream.done
    received.say(said(1))
    received.say(said(2))
    received.result(answered)
    await until(() => all.gateway.gateway.sessions.find(client.sessionId)!.inflight.size === 0)
    const again = await client.listen(last(stream))
    const { status, messages } = await again.done
    expect([status, dataOf(messages)]).toEqual([200, [1, 2, { content: [] }]])
    expect((await (await client.listen(again.ids[0])).done).messages).toEqual(messages.slice(1))
    expect((await (await client.listen(last(again))).done).messages).toEqual([])
  })

  it('and who came back early hears the rest as it comes', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway)
    const { stream, received } = await begin(all, client)
    stream.drop()
    received.say(said(1))
    const again = await client.listen(last(stream))
    expect((await again.next()).params.data).toBe(1)
    received.say(said(2))
    expect((await again.next()).params.data).toBe(2)
    again.drop()
    received.result(answered)
    const third = await client.listen(last(again))
    expect((await third.next()).result).toEqual({ content: [] })
    await third.done
  })

  it('who comes back while the first connection still stands takes it over: each message on one of them', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway)
    const { stream, received } = await begin(all, client)
    const again = await client.listen(last(stream))
    await stream.done
    received.say(said(1))
    received.result(answered)
    await again.done
    expect([dataOf(stream.messages), dataOf(again.messages)]).toEqual([[0], [1, { content: [] }]])
  })

  it('two calls at once: each resumes its own', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway)
    const one = await begin(all, client, 1)
    const two = await begin(all, client, 2)
    one.stream.drop()
    two.stream.drop()
    one.received.say(said(11))
    two.received.say(said(22))
    two.received.result('{"of":2}')
    one.received.result('{"of":1}')
    const back = await Promise.all([one, two].map(async ({ stream }) => (await client.listen(last(stream))).done))
    expect(back.map(({ messages }) => dataOf(messages))).toEqual([
      [11, { of: 1 }],
      [22, { of: 2 }],
    ])
  })

  it('is recorded as answered, though nobody ever comes back for it', async () => {
    const outcomes: string[] = []
    const recorder = plugin('records', ['records'], {
      onSettled: ({ action }, outcome) => void (action === 'tools/call' && outcomes.push(outcome.kind)),
    })
    const all = await world({ plugins: [recorder] })
    const client = await connectHttp(all.gateway)
    const { stream, received } = await begin(all, client)
    stream.drop()
    await stream.done
    received.result(answered)
    await until(() => outcomes.length > 0)
    expect([outcomes, all.upstream.of('notifications/cancelled')]).toEqual([['answered'], []])
  })

  it('a question of the server waits for the client; who never comes back has gone after some minutes', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway, { capabilities: '{"sampling":{}}' })
    const { stream, received } = await begin(all, client)
    stream.drop()
    await stream.done
    received.say('{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}}')
    const again = await client.listen(last(stream))
    const { id, method } = await again.next()
    expect(method).toBe('sampling/createMessage')
    await client.post(`{"jsonrpc":"2.0","id":${id},"result":{"it":"answers"}}`)
    expect((await all.upstream.next('')).message).toMatchObject({ id: 'q', result: { it: 'answers' } })
    again.drop()
    await again.done
    received.say('{"jsonrpc":"2.0","id":"r","method":"sampling/createMessage","params":{}}')
    const session = all.gateway.gateway.sessions.find(client.sessionId)!
    // A sweep is a minute.
    await until(() => {
      session.sweep()
      return all.upstream.of('').length > 1
    })
    expect(all.upstream.of('')[1]!.message).toMatchObject({ id: 'r', error: { data: { mcpgw: { code: 'client-gone' } } } })
  })
})

describe('the standing stream', () => {
  const logging: HttpUpstreamOptions = { capabilities: '{"tools":{},"logging":{}}' }

  it('keeps what is said while the client is away, and goes on when it comes back', async () => {
    const all = await world({}, logging)
    const client = await connectHttp(all.gateway)
    await client.ask('tools/list')
    await all.upstream.listening()
    const stream = await client.listen()
    all.upstream.tell(said(1))
    await stream.next()
    stream.drop()
    await stream.done
    const session = all.gateway.gateway.sessions.find(client.sessionId)!
    await until(() => session.stream?.away === true)
    expect(session.idle).toBe(true)
    all.upstream.tell(said(2))
    all.upstream.tell(said(3))
    const again = await client.listen(last(stream))
    expect((await again.next()).params.data).toBe(2)
    expect((await again.next()).params.data).toBe(3)
    all.upstream.tell(said(4))
    expect((await again.next()).params.data).toBe(4)
    expect(session.idle).toBe(false)
  })

  it('a client that names no event is told what nobody was told yet', async () => {
    const all = await world({}, logging)
    const client = await connectHttp(all.gateway)
    await client.ask('tools/list')
    await all.upstream.listening()
    const stream = await client.listen()
    all.upstream.tell(said(1))
    await stream.next()
    stream.drop()
    await until(() => all.gateway.gateway.sessions.find(client.sessionId)!.stream?.away === true)
    all.upstream.tell(said(2))
    const again = await client.listen()
    expect((await again.next()).params.data).toBe(2)
  })

  it('ids of calls and of the standing stream do not mix: a call resumed there says nothing of the rest', async () => {
    const all = await world({}, logging)
    const client = await connectHttp(all.gateway)
    const standing = await client.listen()
    const { stream, received } = await begin(all, client)
    stream.drop()
    await all.upstream.listening()
    all.upstream.tell(said(100))
    await standing.next()
    received.result(answered)
    const back = await (await client.listen(last(stream))).done
    expect(dataOf(back.messages)).toEqual([{ content: [] }])
    expect(dataOf(standing.messages)).toEqual([100])
  })
})

describe('an event id', () => {
  it('that is forged, of another session, or no longer kept is refused, and the session lives', async () => {
    const all = await world()
    const client = await connectHttp(all.gateway)
    const other = await connectHttp(all.gateway)
    const { stream, received } = await begin(all, client)
    const theirs = await begin(all, other)
    theirs.received.result('{"not":"yours"}')
    await theirs.stream.done
    for (const id of [last(theirs.stream), `${last(stream)}9`, 'nonsense', '0', last(stream).replace('.', '-')]) {
      const refused = await (await client.listen(id)).done
      expect([refused.status, JSON.parse(refused.text).error.data.mcpgw.code]).toEqual([400, 'stream-unknown'])
    }
    received.result(answered)
    await stream.done
    expect(dataOf(stream.messages)).toEqual([0, { content: [] }])
    // Longer than all that is kept of a session together: the answer pushes everything out, and is not kept itself.
    const session = all.gateway.gateway.sessions.find(client.sessionId)!
    session.events!.end()
    expect((await client.listen(last(stream))).status).toBe(400)
    expect((await client.ask('ping')).result).toEqual({})
  })

  it('is of no use to another principal, nor after the end of the session', async () => {
    const all = await world({ plugins: [authenticating] })
    const alice = await connectHttp(all.gateway, { headers: { authorization: 'alice' } })
    const { stream, received } = await begin(all, alice)
    stream.drop()
    received.result('{"for":"alice"}')
    const bob = await connectHttp(all.gateway, { headers: { authorization: 'bob' } })
    expect((await bob.listen(last(stream))).status).toBe(400)
    const thief = await connectHttp(all.gateway, { headers: { authorization: 'bob' } })
    const stolen = await fetch(all.gateway.url, {
      headers: { authorization: 'bob', accept: '*/*', 'mcp-session-id': alice.sessionId, 'last-event-id': last(stream) },
    })
    expect([stolen.status, await stolen.text()]).toEqual([404, expect.not.stringContaining('for')])
    expect(thief.sessionId).not.toBe(alice.sessionId)
    await alice.end()
    expect((await alice.listen(last(stream))).status).toBe(404)
  })
})

describe('by revision', () => {
  it('2025-11-25: a stream begins with an id and no data; 2025-06-18: ids, no empty event; 2024-11-05: neither, and nothing is kept', async () => {
    const all = await world()
    const begun = async (version: string): Promise<{ text: string; client: HttpClient }> => {
      const client = await connectHttp(all.gateway, { version })
      const { stream, received } = await begin(all, client)
      stream.drop()
      await stream.done
      received.result(answered)
      return { text: stream.text(), client }
    }
    const newest = await begun('2025-11-25')
    expect(newest.text).toMatch(/^id: \S+\ndata: \n\nid: \S+\ndata: \{.*\}\n\n$/)
    const older = await begun('2025-06-18')
    expect(older.text).toMatch(/^id: \S+\ndata: \{.*\}\n\n$/)
    const oldest = await begun('2024-11-05')
    expect(oldest.text).toMatch(/^data: \{.*\}\n\n$/)
    // The header means nothing to it: it gets a standing stream.
    const stream = await oldest.client.listen('whatever')
    expect(stream.status).toBe(200)
    stream.drop()
  })
})

it('the end of a session ends its streams, resumed ones too', async () => {
  const all = await world()
  const client = await connectHttp(all.gateway)
  const { stream } = await begin(all, client)
  const standing = await client.listen()
  const again = await client.listen(last(stream))
  await stream.done
  expect((await client.end()).status).toBe(200)
  const [one, two] = await Promise.all([standing.done, again.done])
  expect([one.messages, two.messages]).toEqual([[], []])
  expect((await client.listen(last(stream))).status).toBe(404)
})
