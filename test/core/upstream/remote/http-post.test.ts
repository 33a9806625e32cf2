// What remote servers answer, oddly or wrongly: it costs the one call, within bounds, and what is right gets through.
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { until } from '../../data-plane/gateway.ts'
import type { HttpReceived, HttpUpstreamOptions } from '../../data-plane/http-upstream.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { ask, good, type Setting, startSetting } from './http-setting.ts'

const opened = closeAfterEach()
const start = (options?: HttpUpstreamOptions, maxBytes?: number): Promise<Setting> => startSetting(opened, options, maxBytes)
const stream = { 'content-type': 'text/event-stream' }

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
