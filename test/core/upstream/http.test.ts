// Remote servers that answer oddly, wrongly, or no more: each costs the one call, within bounds, and what is right gets through.
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { type HttpReceived, type HttpUpstream, type HttpUpstreamOptions, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { leaveOpen } from '../data-plane/script.ts'

const opened = closeAfterEach()
interface Setting {
  readonly upstream: HttpUpstream
  readonly gateway: TestGateway
  readonly client: HttpClient
}
async function start(options: HttpUpstreamOptions = {}, maxBytes?: number): Promise<Setting> {
  const upstream = await startHttpUpstream(options)
  opened(upstream)
  const gateway = await startTestGateway({
    servers: [upstream.server('up', { timeout: { startMs: 10_000, callMs: 15_000, idleMs: 0 } })],
    ...(maxBytes && { limits: { messageBytes: maxBytes } }),
  })
  opened(gateway)
  const client = await connectHttp(gateway)
  await client.ask('tools/list')
  return { upstream, gateway, client }
}
const stream = { 'content-type': 'text/event-stream' }
const good = (id: string | undefined): string => `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"good":true}}`

/** Calls a tool that answers as `respond` does; the message that the client gets. */
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
async function ask({ upstream, client }: Setting, respond: (received: HttpReceived) => void): Promise<any> {
  upstream.handlers.set('tools/call', received => respond(received as HttpReceived))
  const { messages } = await client.post(call(1, 'up__echo'))
  return JSON.parse(messages.at(-1)!)
}

describe('an answer as an event stream', () => {
  const forms: Record<string, (message: string) => string> = {
    'with line feeds': message => `data: ${message}\n\n`,
    'with carriage returns': message => `data: ${message}\r\r`,
    'with both, mixed': message => `event: message\r\ndata:${message}\n\r\n`,
    'after a byte order mark': message => `\ufeffdata: ${message}\n\n`,
    'split over data lines': message => `data: ${message.replaceAll(',', ',\ndata: ')}\n\n`,
    'split over data lines with every line end': message => `data: ${message.replaceAll(',', ',\r\ndata:').replace(':', ':\rdata:')}\n\n`,
    'among comments, ids, retries and empty events': message => `: hello\n\nid: 7\nretry: 5\ndata:\n\nid\ndata: ${message}\nfoo: bar\n\n`,
    'after an event that is no JSON': message => `data: {"jsonrpc\n\ndata: ${message}\n\n`,
    'after an event with duplicate keys': message => `data: {"jsonrpc":"2.0","method":"a","method":"b"}\n\ndata: ${message}\n\n`,
    'in a batch with a notification': message => `data: [{"jsonrpc":"2.0","method":"notifications/message"},${message}]\n\n`,
  }
  for (const [name, form] of Object.entries(forms)) {
    const broken = name.startsWith('after an event')
    it(`${name} ${broken ? 'fails this call alone' : 'is read'}, also byte by byte`, async () => {
      const setting = await start()
      const whole = await ask(setting, ({ response, id }) => response.writeHead(200, stream).end(form(good(id))))
      const pieces = await ask(setting, ({ response, id }) => {
        response.writeHead(200, stream)
        const bytes = Buffer.from(form(good(id)))
        const next = (at: number): void => {
          if (at >= bytes.length) return void response.end()
          response.write(bytes.subarray(at, at + 1))
          setImmediate(next, at + 1)
        }
        next(0)
      })
      for (const answer of [whole, pieces]) {
        if (broken) expect(answer.error.data.mcpgw.code).toBe('upstream-garbage')
        else expect(answer.result.good).toBe(true)
      }
    })
  }

  it('with another status of success, and with the media type in another case, is read all the same', async () => {
    const setting = await start()
    for (const [status, type] of [
      [201, 'text/event-stream'],
      [200, 'Text/Event-Stream; charset=utf-8'],
    ] as const) {
      expect(
        (await ask(setting, ({ response, id }) => response.writeHead(status, { 'content-type': type }).end(`data: ${good(id)}\n\n`))).result
          .good,
      ).toBe(true)
    }
  })

  it('that ends, or breaks, before the answer fails the call at once', async () => {
    const setting = await start()
    const ended = await ask(setting, ({ response }) => response.writeHead(200, stream).end(': nothing\n\n'))
    const broken = await ask(setting, ({ response }) => {
      response.writeHead(200, stream).write('data: {"json')
      setTimeout(() => response.destroy(), 5)
    })
    expect([ended, broken].map(answer => answer.error.data.mcpgw.code)).toEqual(['upstream-crashed', 'upstream-crashed'])
  })

  it('that goes on after the answer is cut: no connection is left behind', async () => {
    const setting = await start()
    let cut = 0
    for (let i = 0; i < 5; i++) {
      await ask(setting, ({ response, id }) => {
        response.on('close', () => cut++)
        response.writeHead(200, stream).write(`data: ${good(id)}\n\n`)
      })
    }
    await until(() => cut === 5)
  })

  it('with an event, or a line, over the limit fails the call alone, with bounded memory', async () => {
    const setting = await start({}, 1_000_000)
    const chunk = Buffer.alloc(64 * 1024, 'x')
    for (const head of ['data: "', ': ', 'data: "x\ndata: "']) {
      let sent = 0
      let closed = false
      const answer = await ask(setting, ({ response }) => {
        response.on('close', () => (closed = true))
        response.writeHead(200, stream).write(head)
        const more = (): void => {
          if (closed || sent > 1e9) return
          sent += chunk.length
          if (response.write(chunk)) setImmediate(more)
          else response.once('drain', more)
        }
        more()
      })
      expect(answer.error.data.mcpgw.code).toBe('upstream-garbage')
      await until(() => closed)
      expect(sent).toBeLessThan(50_000_000)
    }
    expect((await ask(setting, received => received.result('{"good":true}'))).result.good).toBe(true)
  })
})

describe('an answer that is wrong', () => {
  const garbage: Record<string, (received: HttpReceived) => void> = {
    'no JSON': ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
    'an empty body': ({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end(),
    'another media type': ({ response, id }) => response.writeHead(200, { 'content-type': 'text/plain' }).end(good(id)),
    'no media type': ({ response, id }) => response.writeHead(200).end(good(id)),
    'result and error at once': ({ response, id }) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${id},"result":{},"error":{"code":1,"message":"x"}}`),
    'result and error at once, in a stream': ({ response, id }) =>
      response.writeHead(200, stream).end(`data: {"jsonrpc":"2.0","id":${id},"result":{},"error":{"code":1,"message":"x"}}\n\n`),
    'duplicate keys': ({ response, id }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"jsonrpc":"2.0","id":${id},"result":{"a":1,"a":1}}`),
    'another id': ({ response }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":123456,"result":{}}'),
    'the id as a string': ({ response, id }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"jsonrpc":"2.0","id":"${id}","result":{}}`),
    'no answer but a notification': ({ response }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","method":"notifications/message"}'),
    'status 202 without a body': ({ response }) => response.writeHead(202).end(),
    'a redirect': ({ response }) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    gzip: ({ response, id }) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(good(id))),
    'a stream in gzip': ({ response, id }) =>
      response.writeHead(200, { ...stream, 'content-encoding': 'gzip' }).end(gzipSync(`data: ${good(id)}\n\n`)),
    'a body over the limit': ({ response }) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(2_000_000)}"`),
    'an answer nested 20,000 deep': ({ response, id }) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${id},"result":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
  }
  it('is upstream-garbage, at once, and the next call is served', async () => {
    const setting = await start({}, 1_000_000)
    for (const [name, respond] of Object.entries(garbage)) {
      const answer = await ask(setting, respond)
      expect(answer.error?.data?.mcpgw?.code, name).toBe('upstream-garbage')
      // Twice: a server of whose answers half are bad would be left alone for a while.
      for (let i = 0; i < 2; i++) expect((await ask(setting, received => received.result('{"good":true}'))).result.good, name).toBe(true)
    }
    expect(setting.upstream.opened).toBe(1)
  })

  for (const [status, body] of [
    [500, ''],
    [500, '{"error":"oops"}'],
    [503, '<html>'],
    [429, ''],
    [401, '{"error":"invalid_token"}'],
    [403, ''],
  ] as const) {
    it(`with status ${status} and ${body === '' ? 'no body' : body} is upstream-unavailable and says nothing of the inside`, async () => {
      const setting = await start()
      const answer = await ask(setting, ({ response }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body))
      expect(answer.error).toMatchObject({ code: 42020, message: 'the server is not available', data: { mcpgw: { server: 'up' } } })
    })
  }

  it('with status 400 and an error of the protocol is that error', async () => {
    const setting = await start()
    const answer = await ask(setting, ({ response, id }) =>
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32602,"message":"bad"}}`),
    )
    expect(answer.error).toEqual({ code: -32602, message: 'bad' })
  })

  it('many times over does not fill the log', async () => {
    const { gateway, upstream } = await start({ stream: true })
    await upstream.listening()
    const before = gateway.logged.length
    for (let i = 0; i < 2000; i++) upstream.tell('{"jsonrpc":"1.0"}')
    upstream.tell('{"jsonrpc":"2.0","id":"done","method":"ping"}')
    await upstream.next('')
    expect(gateway.logged.length - before).toBeLessThan(20)
  })
})

describe('the session with a remote server', () => {
  it('that was lost (404) is opened again once, and the call that was not delivered is made once', async () => {
    const setting = await start()
    setting.upstream.sessions.clear()
    const answers = await Promise.all([1, 2, 3].map(id => setting.client.post(call(id, 'up__echo', `{"n":${id}}`))))
    expect(answers.map(answer => JSON.parse(answer.text).result.echo.n)).toEqual([1, 2, 3])
    expect(setting.upstream.opened).toBe(2)
    expect(setting.upstream.of('tools/call')).toHaveLength(3)
    expect(setting.upstream.of('notifications/initialized')).toHaveLength(2)
  })

  it('that a server denies with 400, as real ones do after a restart, is opened again too', async () => {
    let lost = false
    const setting = await start({
      intercept: (request, response, body) => {
        if (!lost || request.method !== 'POST' || body.includes('"initialize"') || request.headers['mcp-session-id'] !== 's1') return false
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}')
        return true
      },
    })
    lost = true
    const answer = JSON.parse((await setting.client.post(call(1, 'up__echo', '1'))).text)
    expect(answer.result.echo).toBe(1)
    expect(setting.upstream.opened).toBe(2)
  })

  it('is not opened for ever where the server forgets each one: the call fails after one retry', async () => {
    const setting = await start({
      intercept: (_request, response, body) => body.includes('tools/call') && response.writeHead(404).end() !== undefined,
    })
    const answer = JSON.parse((await setting.client.post(call(1, 'up__echo'))).text)
    expect(answer.error.data.mcpgw.code).toBe('upstream-unavailable')
    expect(setting.upstream.opened).toBeLessThanOrEqual(3)
  })

  it('ends with a DELETE when nobody needs it any more', async () => {
    const upstream = await startHttpUpstream()
    const gateway = await startTestGateway({ servers: [upstream.server('up')] })
    const client = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
    await client.ask('tools/list')
    await client.end()
    expect(upstream.deleted).toEqual(['s2'])
    await gateway.stop()
    expect([...upstream.deleted].sort()).toEqual(['s1', 's2'])
    await upstream.close()
  })

  it('breaks in the middle of calls: each fails at once, another server is unaffected, and the next call is served again', async () => {
    const [upstream, other] = [await startHttpUpstream({ on: { 'tools/call': leaveOpen } }), await startHttpUpstream()]
    opened(upstream)
    opened(other)
    const gateway = await startTestGateway({ servers: [upstream.server('up'), other.server('other')] })
    opened(gateway)
    const client = await connectHttp(gateway)
    const calls = [1, 2, 3].map(id => client.post(call(id, 'up__echo')))
    await until(() => upstream.of('tools/call').length === 3)
    await upstream.crash()
    for (const failed of await Promise.all(calls)) expect(JSON.parse(failed.text).error.data.mcpgw.code).toBe('upstream-crashed')
    expect((await client.ask('tools/call', { name: 'other__echo' })).error).toBe(undefined)
    expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toBe('upstream-unavailable')
    await upstream.restart()
    upstream.handlers.set('tools/call', received => received.result('{"back":true}'))
    expect((await client.ask('tools/call', { name: 'up__echo' })).result.back).toBe(true)
  })

  it('has no standing stream where the server answers 405, and asks once; a stream that breaks is opened again', async () => {
    const without = await start()
    expect(without.upstream.requests.filter(one => one.method === 'GET')).toHaveLength(1)
    const { upstream, client } = await start({ stream: true })
    const told = await client.listen()
    await upstream.listening()
    for (const one of upstream.streams) one.destroy()
    await until(() => upstream.streams.size === 0)
    await upstream.listening()
    upstream.tell('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"back"}}')
    expect((await told.next()).params.data).toBe('back')
  })
})

it('what the caller sends with a request never goes upstream; the configured headers do, and nothing else', async () => {
  const upstream = await startHttpUpstream({ stream: true })
  opened(upstream)
  const gateway = await startTestGateway({
    servers: [upstream.server('up', { headers: { authorization: 'Bearer ours', 'x-team': 'blue' } })],
  })
  opened(gateway)
  const secret = {
    authorization: 'Bearer CALLERS',
    'x-api-key': 'CALLERS',
    cookie: 'CALLERS',
    'x-forwarded-for': 'CALLERS',
    'last-event-id': 'CALLERS',
  }
  const client = await connectHttp(gateway, { headers: secret, capabilities: '{"roots":{}}' })
  await client.ask('tools/list')
  await client.ask('tools/call', { name: 'up__echo' })
  await client.end()
  const allowed = [
    'host',
    'connection',
    'authorization',
    'x-team',
    'accept',
    'content-type',
    'content-length',
    'mcp-session-id',
    'mcp-protocol-version',
  ]
  expect(upstream.requests.length).toBeGreaterThan(5)
  for (const request of upstream.requests) {
    expect(request.rawHeaders.join()).not.toContain('CALLERS')
    expect([request.headers.authorization, request.headers['x-team']]).toEqual(['Bearer ours', 'blue'])
    expect(Object.keys(request.headers).filter(name => !allowed.includes(name))).toEqual([])
  }
})

describe('what is no request', () => {
  it('waits for those before it to be acknowledged: a server that never does gathers no connections, and calls go on', async () => {
    const held: ServerResponse[] = []
    const setting = await start({
      stream: true,
      intercept: (_request, response, body) =>
        body.startsWith('{"jsonrpc":"2.0","id":') && body.includes('"result"') && held.push(response) > 0,
    })
    await setting.upstream.listening()
    for (let i = 0; i < 500; i++) setting.upstream.tell(`{"jsonrpc":"2.0","id":${i},"method":"ping"}`)
    await until(() => held.length === 100)
    expect((await ask(setting, received => received.result('{"good":true}'))).result.good).toBe(true)
    expect(held).toHaveLength(100)
    for (let done = 0; done < 500; done++) {
      await until(() => held.length > done)
      held[done]!.writeHead(202).end()
    }
    expect(held).toHaveLength(500)
  })
})
