// One gateway behind another, as processes of their own: each caller is himself at the second one, and nothing between the two can make him another.
import { spawn } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { startCollector } from './collector.ts'
import { apiKeys, keys, makePair, type Passed, startWorld, type World } from './federation-world.ts'
import { findFreePort } from './gateway.ts'
import { CLI, createFolder, isBuilt, readHealth, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const namesIn = (answer: { result?: { tools: readonly { name: string }[] } }): string[] =>
  (answer.result?.tools ?? []).map(({ name }) => name).sort()

async function connectModern({ edge }: World, [, authorization = '']: readonly string[]): Promise<ModernClient> {
  const client = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new ModernHttp(new URL(`${edge.origin}/mcp`), { requestInit: { headers: { authorization } } }))
  onTestFinished(() => client.close())
  return client
}

/** What a command prints. */
async function runAside(words: readonly string[], cwd: string): Promise<string> {
  const child = spawn(process.execPath, [CLI, ...words], { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
  return text(child.stdout)
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const OPEN = `policy "open" edition 1

allow everything {
  who  any
  call */*
}
`
const viaOf = (headers: Readonly<Record<string, string>>): readonly string[] =>
  (JSON.parse(Buffer.from(headers['mcpgw-caller']!.split('.')[1]!, 'base64url').toString()) as { via: string[] }).via
const ECHO = 'hub__odd__echo'
const textOf = (answer: { result?: { content?: readonly { text: string }[] } }): string => answer.result?.content?.[0]?.text ?? ''
const refusalsIn = (dir: string): string[] =>
  readRecords(dir).flatMap(({ decision }) => (decision?.outcome === 'deny' ? [String(decision.code)] : []))

describe.skipIf(!isBuilt)('a gateway behind another', () => {
  test.each(['modern', 'legacy'] as const)(
    'decides for each caller by who he is, in lists and calls, for clients of both eras; its record has who spoke for whom (%s)',
    async protocol => {
      const world = await startWorld({ protocol })
      const { edge } = world
      const [ann, bob, eve] = await Promise.all([keys.ann, keys.bob, keys.eve].map(key => openSession(edge.origin, key)))
      // At the same time, so that what one is shown could be shown to another.
      const lists = await Promise.all([ann!, bob!, eve!, ann!, bob!].map(session => session.ask('tools/list')))
      const [echo, pid, own] = ['hub__odd__echo', 'hub__odd__pid', 'hub__odd__arguments']
      expect(lists.map(namesIn)).toEqual([[echo], [own, echo, pid], [], [echo], [own, echo, pid]])
      expect((await ann!.call(echo, { n: 1 })).result.content[0].text).toBe('{"n":1}')
      expect(codeOf(await ann!.call(pid))).toBe('unknown-tool')
      expect((await bob!.call(pid)).result.content[0].text).toContain('pid')
      // What he has not seen he may not call either: past the edge, and past its lists.
      const direct = await ann!.ask('tools/call', { name: own, arguments: {} })
      expect(codeOf(direct)).toBe('unknown-tool')
      expect((await eve!.call(echo)).result).toBeUndefined()

      const [modernAnn, modernBob] = [await connectModern(world, keys.ann), await connectModern(world, keys.bob)]
      const seen = await Promise.all(
        [modernAnn, modernBob, modernAnn].map(async client => (await client.listTools()).tools.map(({ name }) => name).sort()),
      )
      expect(seen).toEqual([[echo], [own, echo, pid], [echo]])
      expect(JSON.stringify(await modernAnn.callTool({ name: echo, arguments: { n: 2 } }))).toContain('{\\"n\\":2}')

      const called = readRecords(world.hubDir).filter(({ tool, type }) => type === 'intent' && tool !== undefined)
      expect(
        new Set(called.map(({ actor, tool, tenant }) => `${actor?.id} by ${actor?.method} ${actor?.issuer} of ${tenant}: ${tool}`)),
      ).toEqual(new Set(['edge/ann by gateway edge of acme: echo', 'edge/bob by gateway edge of acme: pid']))
    },
    90_000,
  )

  test('what goes from one to the other can be neither changed nor used again, by whoever stands between them or has caught it', async () => {
    const world = await startWorld({ protocol: 'modern' })
    const { edge, hub, between } = world
    const session = await openSession(edge.origin, keys.ann)
    expect(textOf(await session.call(ECHO, { n: 1 }))).toBe('{"n":1}')
    const isCall = ({ body }: Passed): boolean => body.includes('"tools/call"')
    const caught = between.passed.findLast(isCall)!
    const statementOf = (body: string): string => between.passed.findLast(one => one.body === body)?.headers['mcpgw-caller'] ?? ''

    // Caught, and sent again: as it was, to another tool, to another endpoint, in another method, by another gateway's name.
    const again = (change: Partial<Passed> = {}): Promise<{ status: number; challenge: unknown }> => {
      const { method, path, headers, body } = { ...caught, ...change }
      const own = Object.entries(headers).filter(([name]) => !['host', 'content-length', 'content-type', 'accept'].includes(name))
      return post(hub.origin, body, { method, path, headers: own.flat() }).then(({ status, headers: got }) => ({
        status,
        challenge: got['www-authenticate'],
      }))
    }
    const refusedAs = (word: string) => ({ status: 401, challenge: `mcpgw-caller error="${word}"` })
    expect(await again()).toEqual(refusedAs('replayed'))
    const pid = caught.body.replace('"echo"', '"pid"').replace('odd__echo', 'odd__pid')
    expect(await again({ body: pid, headers: { ...caught.headers, 'mcp-name': 'odd__pid' } })).toEqual(refusedAs('changed'))
    expect(await again({ path: '/mcp/odd', body: caught.body })).toEqual(refusedAs('changed'))
    expect((await again({ headers: { ...caught.headers, authorization: 'Bearer mgk_x' } })).status).toBe(400)
    const forged = caught.headers['mcpgw-caller']!.split('.')
    const payload = JSON.parse(Buffer.from(forged[1]!, 'base64url').toString()) as object
    forged[1] = Buffer.from(JSON.stringify({ ...payload, sub: 'bob', roles: ['admin'], jti: 'a'.repeat(22) })).toString('base64url')
    expect(await again({ headers: { ...caught.headers, 'mcpgw-caller': forged.join('.') } })).toEqual(refusedAs('unknown'))

    // On its way: the arguments, who asks, and the whole statement of another request.
    const spoil = async (change: (request: Passed) => Passed): Promise<unknown> => {
      between.change = request => (isCall(request) ? change(request) : request)
      const answer = await session.call(ECHO, { n: 2 })
      between.change = same => same
      return answer.error?.data?.mcpgw?.code
    }
    expect(await spoil(one => ({ ...one, body: one.body.replace('"n":2', '"n":3') }))).toBe('upstream-credential')
    expect(await spoil(one => ({ ...one, headers: { ...one.headers, 'mcpgw-caller': forged.join('.') } }))).toBe('upstream-unavailable')
    expect(await spoil(one => ({ ...one, headers: { ...one.headers, 'mcpgw-caller': statementOf(caught.body) } }))).toBe(
      'upstream-credential',
    )
    const condition = (await readHealth(edge.origin)).components.find(({ name }) => name === 'credential/hub')
    expect(condition).toMatchObject({ status: 'degraded', why: expect.stringMatching(/changed|unknown/) })
    expect(textOf(await session.call(ECHO, { n: 4 }))).toBe('{"n":4}')
    await untilHealth(edge.origin, ({ components }) => components.find(({ name }) => name === 'credential/hub')?.status === 'ok')

    // From outside: nobody puts the header through, and at the edge it is a credential like any other.
    const before = between.passed.length
    const smuggled = await post(edge.origin, caught.body, { headers: [...keys.ann, 'mcpgw-caller', caught.headers['mcpgw-caller']!] })
    const alone = await post(edge.origin, caught.body, { headers: ['mcpgw-caller', caught.headers['mcpgw-caller']!] })
    expect([smuggled.status, alone.status, between.passed.length]).toEqual([400, 401, before])
    expect(new Set(refusalsIn(world.hubDir))).toEqual(new Set(['bad-signature', 'many-credentials']))
    expect(`${hub.said()}${edge.said()}`).not.toContain(caught.headers['mcpgw-caller']!.split('.')[2])
  }, 90_000)

  test('keys are changed without a gap; the second gateway starts again, and callers go on; one that does not know the first says so', async () => {
    const next = makePair()
    const world = await startWorld({ alsoKnown: next })
    const { edge, edgeDir, between } = world
    const session = await openSession(edge.origin, keys.ann)
    const call = async (n: number): Promise<string> => textOf(await session.call(ECHO, { n }))
    expect(await call(1)).toBe('{"n":1}')
    const kidOf = ({ headers }: Passed): unknown =>
      JSON.parse(Buffer.from(headers['mcpgw-caller']!.split('.')[0]!, 'base64url').toString()).kid
    const kid = kidOf(between.passed.at(-1)!)
    world.useKey(next)
    // No call fails while the edge goes over to the other key.
    const heard = new Set<string>()
    const go = async (): Promise<unknown> => {
      heard.add(await call(2))
      return kidOf(between.passed.at(-1)!)
    }
    await expect.poll(go, { timeout: 30_000, interval: 300 }).not.toBe(kid)
    expect([...heard]).toEqual(['{"n":2}'])

    await world.hub.stop()
    await world.startHub([next])
    await expect.poll(() => call(3), { timeout: 30_000, interval: 300 }).toBe('{"n":3}')

    world.useKey(makePair())
    await expect.poll(() => call(4), { timeout: 30_000, interval: 300 }).toBe('')
    const { components } = await untilHealth(edge.origin, ({ components: all }) =>
      all.some(({ name, status }) => name === 'credential/hub' && status !== 'ok'),
    )
    expect(components.find(({ name }) => name === 'credential/hub')?.why).toContain(
      '(unknown): it does not know this gateway under that name',
    )
    const status = await runAside(['servers', 'status'], edgeDir)
    expect(status).toMatch(/^hub +.*refuses the signature \(unknown\)/m)
    // In a process of its own: what stands between the two is in this one.
    const doctor = await runAside(['doctor'], edgeDir)
    expect(doctor).toMatch(/fail +server hub: does not start: the other gateway refuses the signature \(unknown\)/)
  }, 120_000)

  test('a caller whom the second gateway refuses keeps nobody else from it, however often he asks', async () => {
    const { edge } = await startWorld({ protocol: 'legacy' })
    for (let i = 0; i < 8; i++) {
      const eve = await openSession(edge.origin, keys.eve)
      expect((await eve.call(ECHO)).result).toBeUndefined()
    }
    const ann = await openSession(edge.origin, keys.ann)
    expect(textOf(await ann.call(ECHO, { n: 1 }))).toBe('{"n":1}')
  }, 60_000)

  test('one trace goes from the client through both gateways to the server', async () => {
    const upstream = await startHttpUpstream({ sessionless: true })
    onTestFinished(() => upstream.close())
    const collector = await startCollector()
    const telemetry = { otlp: collector.url }
    const servers = [{ id: 'odd', url: upstream.url }]
    const world = await startWorld({ hub: { servers, telemetry } })
    const session = await openSession(world.edge.origin, [...keys.ann, 'traceparent', `00-${TRACE}-00f067aa0ba902b7-01`])
    // The edge has no telemetry: the trace that the client names in its header is said to the hub in what is signed.
    await session.call(ECHO, { n: 1 })
    const received = upstream.of('tools/call').at(-1)!
    expect(received.message.params._meta.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
    await world.hub.stop()
    const spans = collector.spans().filter(({ traceId, name }) => traceId === TRACE && name === 'tools/call echo')
    expect(spans.map(({ kind }) => kind).toSorted((a, b) => a - b)).toEqual([2, 3])
    expect(spans.find(({ kind }) => kind === 2)?.parentSpanId).toBe('00f067aa0ba902b7')
  }, 60_000)

  test('two gateways that stand behind one another go in no circle', async () => {
    const pair = makePair()
    const back = await findFreePort()
    const origin = `http://127.0.0.1:${back}/mcp`
    const auth = { gateways: [{ name: 'hub', audience: origin, keys: [pair.publicKey], tenants: ['acme'], roles: ['reader'] }] }
    const folder = createFolder({ 'hub.pem': pair.privateKey })
    chmodSync(join(folder, 'hub.pem'), 0o600)
    const gateway = { as: 'hub', privateKey: join(folder, 'hub.pem') }
    const servers = [
      { id: 'odd', ...oddServer() },
      { id: 'edge', url: origin, auth: { gateway } },
    ]
    const policies = [join(createFolder({ 'open.policy': OPEN }), 'open.policy')]
    const world = await startWorld({
      hub: { servers, policies },
      edge: { plugins: ['audit', { auth: { ...auth, apiKeys } }] },
      edgeArgs: ['--http', `127.0.0.1:${back}`],
    })
    const session = await openSession(world.edge.origin, keys.ann)
    expect(namesIn(await session.ask('tools/list'))).toContain(ECHO)
    expect(namesIn(await session.ask('tools/list')).filter(name => name.includes('edge__hub'))).toEqual([])
    const longest = Math.max(...world.between.passed.map(({ headers }) => viaOf(headers).length))
    expect(longest).toBeLessThan(2)
    expect(textOf(await session.call(ECHO, { n: 1 }))).toBe('{"n":1}')
  }, 60_000)
})
