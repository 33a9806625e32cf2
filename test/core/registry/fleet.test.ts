// Servers that come, change and go while a gateway serves: no call is lost, sessions stay, clients are told.
import { describe, expect, it } from 'vitest'
import { NO_KILLS } from '../../../core/kill/kills.ts'
import type { Reached } from '../../../core/kill/watch.ts'
import type { Capability, Hooks } from '../../../core/plugin/index.ts'
import { call, connectHttp, type HttpClient } from '../data-plane/clients.ts'
import { authenticating, plugin, startTestGateway, until } from '../data-plane/gateway.ts'
import { type HttpUpstream, startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { echoTool, leaveOpen } from '../data-plane/script.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const tool = (name: string): string => `{"name":"${name}","inputSchema":{"type":"object"}}`
const upstream = async (...tools: string[]): Promise<HttpUpstream> =>
  opened(await startHttpUpstream({ tools: tools.map(tool), on: { 'tools/call': received => received.result('{"content":[]}') } }))

async function namesOf(client: HttpClient): Promise<string[]> {
  const { result } = await client.ask('tools/list')
  return result.tools.map(({ name }: { name: string }) => name)
}

const refusalOf = (answer: { error?: { data?: { mcpgw?: { code?: string } } } }): string | undefined => answer.error?.data?.mcpgw?.code

describe('a fleet that changes', () => {
  it('shows a new server to a session that is open, which is told, and takes calls to it', async () => {
    const [one, two] = [await upstream('a'), await upstream('b')]
    const gateway = opened(await startTestGateway({ servers: [one.server('one')] }))
    const client = await connectHttp(gateway)
    expect(await namesOf(client)).toEqual(['one__a'])
    const stream = await client.listen()
    const change = gateway.gateway.change([one.server('one'), two.server('two')])
    expect(change?.added.map(({ id }) => id)).toEqual(['two'])
    const told = new Set<string>()
    while (told.size < 3) told.add((await stream.next()).method)
    expect([...told].toSorted()).toEqual(['prompts', 'resources', 'tools'].map(of => `notifications/${of}/list_changed`))
    expect(await namesOf(client)).toEqual(['one__a', 'two__b'])
    expect((await client.ask('tools/call', { name: 'two__b', arguments: {} })).result).toEqual({ content: [] })
    const direct = await connectHttp(gateway, { path: '/mcp/two' })
    expect(await namesOf(direct)).toEqual(['b'])
    // The server that did not change has one session as before.
    expect(one.of('initialize')).toHaveLength(1)
    stream.drop()
  })

  it('takes nothing new for a server that is gone, and ends what is under way there in peace', async () => {
    const gone = opened(await startHttpUpstream({ tools: [echoTool], on: { 'tools/call': leaveOpen } }))
    const stays = await upstream('a')
    const gateway = opened(await startTestGateway({ servers: [gone.server('gone'), stays.server('stays')] }))
    const client = await connectHttp(gateway)
    const direct = await connectHttp(gateway, { path: '/mcp/gone' })
    await client.ask('tools/list')
    const calls = [client.post(call(1, 'gone__echo')), direct.post(call(1, 'echo'))]
    const underWay = [await gone.next('tools/call'), await gone.next('tools/call')]
    gateway.gateway.change([stays.server('stays')])
    expect(refusalOf(await client.ask('tools/call', { name: 'gone__echo', arguments: {} }))).toBe('unknown-tool')
    expect(await namesOf(client)).toEqual(['stays__a'])
    expect((await direct.post(call(2, 'echo'))).status).toBe(404)
    expect(gateway.gateway.board.list().map(({ server }) => server)).toEqual(['stays'])
    for (const received of underWay) received.result('{"content":[]}')
    for (const answer of await Promise.all(calls)) expect(JSON.parse(answer.messages.at(-1)!).result).toEqual({ content: [] })
    await until(() => gone.deleted.length > 0)
    // It comes back, and so does the endpoint of the session that has stayed.
    gateway.gateway.change([stays.server('stays'), gone.server('gone')])
    expect((await direct.ask('tools/list')).result.tools).toHaveLength(1)
  })

  it('sends new calls of a session to the server as it is now, while a call to it as it was is still answered', async () => {
    const before = opened(await startHttpUpstream({ tools: [echoTool], on: { 'tools/call': leaveOpen } }))
    const after = await upstream('echo', 'more')
    const gateway = opened(await startTestGateway({ servers: [before.server('up')] }))
    const client = await connectHttp(gateway)
    const slow = client.post(call(1, 'up__echo'))
    const received = await before.next('tools/call')
    gateway.gateway.change([after.server('up')])
    expect((await client.ask('tools/call', { name: 'up__echo', arguments: {} })).result).toEqual({ content: [] })
    expect(await namesOf(client)).toEqual(['up__echo', 'up__more'])
    received.result('{"content":[{"type":"text","text":"old"}]}')
    expect(JSON.parse((await slow).messages.at(-1)!).result.content[0].text).toBe('old')
    await until(() => before.deleted.length > 0)
    expect(before.of('tools/call')).toHaveLength(1)
  })

  it('keeps the process of a child that did not change, and ends that of one that is gone', async () => {
    const [stays, gone] = [opened(await startStdioUpstream()), opened(await startStdioUpstream())]
    const gateway = opened(await startTestGateway({ servers: [stays.server('stays'), gone.server('gone')] }))
    const { board } = gateway.gateway
    await until(() => board.list().every(({ state }) => state === 'ready'))
    const [kept, ended] = board.list().map(({ pids }) => pids[0]!)
    gateway.gateway.change([stays.server('stays')])
    const isAlive = (pid: number): boolean => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    await until(() => !isAlive(ended!))
    expect(isAlive(kept!)).toBe(true)
    expect(board.list().map(({ pids }) => pids[0])).toEqual([kept])
  })

  it('begins anew with a child: its process is another one, sessions stay, and a call to the one before is answered by it', async () => {
    const up = opened(await startStdioUpstream({ on: { 'tools/call': leaveOpen } }))
    const other = opened(await startStdioUpstream())
    const restarts: ((server: string) => boolean)[] = []
    const kills = { now: NO_KILLS, carryOut: ({ restart }: Reached) => void restarts.push(restart) }
    const gateway = opened(await startTestGateway({ servers: [up.server('up'), other.server('other')], kills }))
    const { board } = gateway.gateway
    const client = await connectHttp(gateway)
    const pidOf = (id: string): number | undefined => board.list().find(({ server }) => server === id)?.pids[0]
    const slow = client.post(call(1, 'up__echo'))
    const received = await up.next('tools/call')
    const [before, untouched] = [pidOf('up'), pidOf('other')]
    expect(restarts[0]!('nobody')).toBe(false)
    expect(restarts[0]!('up')).toBe(true)
    await until(() => pidOf('up') !== undefined && pidOf('up') !== before)
    const next = client.post(call(2, 'up__echo'))
    ;(await up.next('tools/call')).result('{"content":[],"whose":"new"}')
    expect(JSON.parse((await next).messages.at(-1)!).result.whose).toBe('new')
    received.result('{"content":[],"whose":"old"}')
    expect(JSON.parse((await slow).messages.at(-1)!).result.whose).toBe('old')
    expect(pidOf('other')).toBe(untouched)
  })

  it('tells plugins that what was kept of a server that went or changed may not be so, and of no other', async () => {
    const [one, two, three] = [await upstream('a'), await upstream('b'), await upstream('c')]
    const heard: string[] = []
    const hooks: Hooks = { onServerChange: ({ server, of }) => void heard.push(`${server} ${of}`) }
    const none: readonly Capability[] = []
    const gateway = opened(await startTestGateway({ servers: [one.server('one'), two.server('two')], plugins: [plugin('p', none, hooks)] }))
    const client = await connectHttp(gateway)
    await client.ask('tools/list')
    heard.length = 0
    gateway.gateway.change([one.server('one'), three.server('two')])
    await until(() => heard.length >= 3)
    expect(heard.slice(0, 3).toSorted()).toEqual(['two prompts', 'two resources', 'two tools'])
  })

  it('a server for a tenant that comes later is seen by that tenant alone', async () => {
    const [one, two] = [await upstream('a'), await upstream('b')]
    const gateway = opened(await startTestGateway({ servers: [one.server('one')], plugins: [authenticating] }))
    const client = await connectHttp(gateway, { headers: { authorization: 'ann' } })
    expect(await namesOf(client)).toEqual(['one__a'])
    gateway.gateway.change([one.server('one'), two.server('two', { tenants: ['other'] })])
    expect(await namesOf(client)).toEqual(['one__a'])
    expect(refusalOf(await client.ask('tools/call', { name: 'two__b', arguments: {} }))).toBe('unknown-tool')
    gateway.gateway.change([one.server('one'), two.server('two', { tenants: ['default'] })])
    expect(await namesOf(client)).toEqual(['one__a', 'two__b'])
  })
})
