// Sessions with remote servers: opened again where they are lost, ended where nobody needs them, and with a stream of their own.
import { describe, expect, it } from 'vitest'
import { call, connectHttp } from '../../data-plane/clients.ts'
import { startTestGateway, until } from '../../data-plane/gateway.ts'
import { type HttpUpstreamOptions, startHttpUpstream } from '../../data-plane/http-upstream.ts'
import { closeAfterEach } from '../../data-plane/opened.ts'
import { leaveOpen } from '../../data-plane/script.ts'
import { type Setting, startSetting } from './http-setting.ts'

const opened = closeAfterEach()
const start = (options?: HttpUpstreamOptions, maxBytes?: number): Promise<Setting> => startSetting(opened, options, maxBytes)

describe('the session with a remote server', () => {
  it('that was lost (404) is opened again once, and the call that was not delivered is made once', async () => {
    const setting = await start()
    setting.upstream.sessions.clear()
    const answers = await Promise.all([1, 2, 3].map(id => setting.client.post(call(id, 'up__echo', `{"n":${id}}`))))
    expect(answers.map(answer => JSON.parse(answer.messages.at(-1)!).result.echo.n)).toEqual([1, 2, 3])
    expect(setting.upstream.opened).toBe(2)
    expect(setting.upstream.of('tools/call')).toHaveLength(3)
    expect(setting.upstream.of('notifications/initialized')).toHaveLength(2)
  })

  const json = (message: string, id = 'null', code = -32000): string =>
    `{"jsonrpc":"2.0","error":{"code":${code},"message":"${message}"},"id":${id}}`
  /** What servers in use say after a restart, with the status that they say it with. */
  const denials: readonly (readonly [number, string])[] = [
    [400, json('Bad Request: No valid session ID provided')],
    [400, json('Bad Request: Server not initialized')],
    [400, json('Bad Request: No valid session ID or not an initialize request')],
    [400, json('Bad Request: No valid session ID provided', '"server-error"', -32600)],
    [400, 'Bad Request: No valid session ID provided'],
    [400, 'Invalid session ID'],
    [401, 'Unauthorized: Session not found'],
    [404, json('Session not found', '"server-error"', -32600)],
    [410, json('Session expired')],
    [503, json('Service Unavailable: unknown or expired session')],
  ]
  /** Denies session s1 with this from the time that `lose` is called. */
  async function startDenying(status: number, body: (id: string) => string): Promise<{ setting: Setting; lose(): void }> {
    let isLost = false
    const setting = await start({
      intercept: (request, response, text) => {
        if (!isLost || request.method !== 'POST' || request.headers['mcp-session-id'] !== 's1') return false
        const said = body(String(JSON.parse(text).id))
        response.writeHead(status, { 'content-type': said.startsWith('{') ? 'application/json' : 'text/plain' }).end(said)
        return true
      },
    })
    return {
      setting,
      lose: () => {
        isLost = true
      },
    }
  }

  it.each(denials)('that a server denies with %i and %s is opened again, and the call is made once', async (status, body) => {
    const { setting, lose } = await startDenying(status, () => body)
    lose()
    const answer = await setting.client.ask('tools/call', { name: 'up__echo', arguments: 1 })
    expect(answer.result.echo).toBe(1)
    expect(setting.upstream.opened).toBe(2)
    expect(setting.upstream.of('tools/call')).toHaveLength(1)
  })

  it.each([
    [400, (id: string) => json('session not found in the database', id, -32602)],
    [503, (id: string) => json('unknown session of the shop', id)],
    [400, () => 'Bad Request'],
    [400, () => json('the session limit is 5')],
    [401, () => '{"error":"invalid_token"}'],
    [503, () => '<html>the service is down</html>'],
    [500, () => 'session not found'],
    [400, () => `session not found ${'x'.repeat(3000)}`],
  ])('that is not denied with %i, though it may look like it, is kept: the call fails and is not made again', async (status, body) => {
    const { setting, lose } = await startDenying(status, body)
    lose()
    const answer = await setting.client.ask('tools/call', { name: 'up__echo', arguments: 1 })
    expect(answer.error).toBeDefined()
    expect(setting.upstream.opened).toBe(1)
  })

  it('is not opened for ever where the server forgets each one: the call fails after one retry', async () => {
    const setting = await start({
      intercept: (_request, response, body) => body.includes('tools/call') && response.writeHead(404).end() !== undefined,
    })
    const answer = await setting.client.ask('tools/call', { name: 'up__echo' })
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
    for (const failed of await Promise.all(calls))
      expect(JSON.parse(failed.messages.at(-1)!).error.data.mcpgw.code).toBe('upstream-crashed')
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
