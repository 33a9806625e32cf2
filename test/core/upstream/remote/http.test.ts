// What is sent to remote servers: nothing of the caller's, and nothing that could gather.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { connectHttp } from '../../data-plane/clients.ts'
import { startTestGateway, until } from '../../data-plane/gateway.ts'
import { startHttpUpstream } from '../../data-plane/http-upstream.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { ask, startSetting } from './http-setting.ts'

const opened = closeAfterEach()

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

it('a redirect is never followed, whatever the method and the origin: no credential goes there', async () => {
  let asked = 0
  const target = opened(await startHttpUpstream({ intercept: () => ++asked < 0 }))
  for (const status of [301, 302, 303, 307, 308]) {
    const upstream = opened(
      await startHttpUpstream({
        stream: true,
        intercept: (request, response, body) => {
          if (request.method === 'POST' && !body.includes('tools/call')) return false
          response.writeHead(status, { location: target.url }).end()
          return true
        },
      }),
    )
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { headers: { authorization: 'Bearer ours' } })] }))
    const client = await connectHttp(gateway, { capabilities: '{"roots":{}}' })
    expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toBe('upstream-garbage')
    await client.end()
  }
  expect(asked).toBe(0)
})

it('a call whose kept connection is reset before any answer fails, and is not made again: it may have been heard', async () => {
  const setting = await startSetting(opened, {
    intercept: (request, _response, body) => {
      if (!body.includes('tools/call')) return false
      request.socket.resetAndDestroy()
      return true
    },
  })
  const answer = await setting.client.ask('tools/call', { name: 'up__echo' })
  expect(answer.error.data.mcpgw.code).toBe('upstream-crashed')
  expect(setting.upstream.requests.filter(one => one.headers['mcp-session-id'] === 's1').length).toBeLessThan(5)
  expect(setting.upstream.of('tools/call')).toHaveLength(0)
})

describe('what is no request', () => {
  it('waits for those before it to be acknowledged: a server that never does gathers no connections, and calls go on', async () => {
    const held: ServerResponse[] = []
    const setting = await startSetting(opened, {
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
