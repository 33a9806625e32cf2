// A tool that was made to hurt is kept back alone: its neighbours are listed and callable, the log says why, and nothing that it points to is fetched.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { RequestVerdict, Resource } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { visitHttp } from '../data-plane/stateless-client.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'

const opened = closeAfterEach()
const good = '{"name":"good","inputSchema":{"type":"object"}}'
const tool = (schema: string, more = ''): string => `{"name":"bad","inputSchema":${schema}${more}}`
const nested = (depth: number): string => `${'{"items":'.repeat(depth)}{}${'}'.repeat(depth)}`

async function listed(tools: readonly string[]) {
  const upstreams = [opened(await startStdioUpstream({ tools })), opened(await startHttpUpstream())]
  const [one, two] = upstreams
  const gateway = opened(await startTestGateway({ servers: [one!.server('one'), two!.server('two')] }))
  const client = await connectHttp(gateway)
  const names = async (answer: Promise<{ result: { tools: { name: string }[] } }>) => (await answer).result.tools.map(({ name }) => name)
  const seen = await names(client.ask('tools/list'))
  expect(await names(visitHttp(gateway).ask('tools/list'))).toEqual(seen)
  expect((await client.ask('tools/call', { name: 'one__good' })).error).toBe(undefined)
  return { names: seen, client, warned: gateway.logged.filter(({ message }) => message.startsWith('quarantined')) }
}

describe('a tool', () => {
  it.each([
    ['ten thousand branches', `{"anyOf":[${Array.from({ length: 10_000 }, () => '{}').join(',')}]}`],
    ['a schema as deep as a message may be', nested(58)],
    ['a schema deeper than a message may be', nested(500)],
    ['a schema of two megabytes', `{"const":"${'x'.repeat(2_000_000)}"}`],
  ])('with %s is kept back alone', async (_, schema) => {
    for (const bad of [tool(schema), tool('{}', `,"outputSchema":${schema}`)]) {
      const { names, client, warned } = await listed([good, bad, good.replace('good', 'also')])
      expect(names).toEqual(['one__good', 'one__also', 'two__echo'])
      expect((await client.ask('tools/call', { name: 'one__bad' })).error.code).toBe(-32602)
      expect(warned.length).toBeGreaterThan(0)
    }
  })

  it('that people could have written is passed on whole, recursion included', async () => {
    const branches = Array.from({ length: 500 }, (_, i) => `{"const":"{${i}","title":"\\"{"}`).join(',')
    const schemas = [`{"oneOf":[${branches}]}`, nested(40), '{"$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"}}}},"$ref":"#"}']
    const tools = schemas.map((schema, i) => `{"name":"t${i}","inputSchema":${schema}}`)
    const { names } = await listed([good, ...tools])
    expect(names).toEqual(['one__good', 'one__t0', 'one__t1', 'one__t2', 'two__echo'])
  })

  it('whose schema points into the network is passed on, and nobody goes there', async () => {
    let asked = 0
    const canary = createServer((_, response) => {
      asked++
      response.end('{}')
    })
    await new Promise<void>(resolve => canary.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/schema.json`
    const schema = `{"$schema":"${url}","properties":{"a":{"$ref":"${url}#/x"}},"allOf":[{"$dynamicRef":"${url}"}]}`
    const { names, client } = await listed([good, tool(schema, `,"outputSchema":{"$ref":"${url}"}`)])
    expect(names).toContain('one__bad')
    expect((await client.ask('tools/call', { name: 'one__bad', arguments: { a: 1 } })).error).toBe(undefined)
    expect((await client.ask('tools/list')).result.tools[1].inputSchema.$schema).toBe(url)
    expect(asked).toBe(0)
    await new Promise(resolve => canary.close(resolve))
  })

  it.each([
    'e\u001b[31m',
    'a\u0000',
    'a\u009b',
    'a\u{e0041}',
    'a\u200bb',
    'a\u202eb',
    'a\u2066b',
    'a\ufe0f',
    'a\u2028',
    'a\u00ad',
    '\ufeffa',
  ])('named %j is kept back, at its own endpoint too, and the log shows its name in letters alone', async name => {
    const upstream = opened(await startHttpUpstream({ tools: [good, good.replace('"good"', JSON.stringify(name))] }))
    const gateway = opened(await startTestGateway({ servers: [upstream.server('up')] }))
    const client = await connectHttp(gateway, { path: '/mcp/up' })
    expect((await client.ask('tools/list')).result.tools).toEqual([JSON.parse(good)])
    expect((await client.ask('tools/call', { name })).error.code).toBe(-32602)
    const [line] = gateway.logged.filter(({ message }) => message.startsWith('quarantined'))
    expect(line!.fields.name).toMatch(/^[a-z[0-9\\{}]+$/)
  })

  it('keeps what it says of itself as it was written, whatever is in it', async () => {
    const odd = '{"name":"good","description":"\\u001b[31m\u{e0041}\u200b\u202e","inputSchema":{}}'
    const upstream = opened(await startHttpUpstream({ tools: [odd] }))
    const client = await connectHttp(opened(await startTestGateway({ servers: [upstream.server('up')] })), { path: '/mcp/up' })
    expect((await client.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).text).toContain(odd)
  })
})

it('a resource with what nobody sees in its uri is kept back; one in any script is not', async () => {
  const uris = ['x://a\u0007', 'x://a\u202eb', 'x://\u{e0041}', 'x://é/😀\ufe0f/می\u200cخواهم']
  const upstream = opened(
    await startHttpUpstream({
      capabilities: '{"resources":{}}',
      on: { 'resources/list': received => received.result(JSON.stringify({ resources: uris.map(uri => ({ uri, name: 'r' })) })) },
    }),
  )
  const client = await connectHttp(opened(await startTestGateway({ servers: [upstream.server('up')] })))
  expect((await client.ask('resources/list')).result.resources.map((one: { uri: string }) => one.uri)).toEqual([uris[3]])
})

it('a uri that leads out of its folder is decided upon as what it leads to, and sent as it was written', async () => {
  const seen: Resource[] = []
  const decider = plugin('folder', ['decides'], {
    onRequest({ resource }): RequestVerdict {
      seen.push(resource)
      if (resource.kind !== 'read') return { kind: 'allow', rules: [], obligations: [] }
      return resource.uri.startsWith('file:///docs/')
        ? { kind: 'allow', rules: [], obligations: [] }
        : { kind: 'deny', code: 'denied', reason: 'outside' }
    },
  })
  const upstream = opened(
    await startHttpUpstream({
      capabilities: '{"resources":{}}',
      on: {
        'resources/list': received => received.result('{"resources":[]}'),
        'resources/templates/list': received => received.result('{"resourceTemplates":[{"uriTemplate":"file:///docs/{x}","name":"d"}]}'),
        'resources/read': received => received.result('{"contents":[]}'),
      },
    }),
  )
  const client = await connectHttp(opened(await startTestGateway({ servers: [upstream.server('up')], plugins: [decider] })))
  for (const uri of ['file:///docs/../etc/passwd', 'file:///docs/%2e%2e%2fetc/passwd', 'FILE:///etc/passwd', 'file:///docs\\..\\..\\x'])
    expect((await client.ask('resources/read', { uri })).error.data.mcpgw.code).toBe('denied')
  expect(upstream.of('resources/read')).toEqual([])
  const inside = 'file:///docs/a/../%2e/b'
  expect((await client.ask('resources/read', { uri: inside })).result).toEqual({ contents: [] })
  expect(upstream.of('resources/read').map(one => one.message.params.uri)).toEqual([inside])
  expect(seen.at(-1)).toMatchObject({ uri: 'file:///docs/b' })
})
