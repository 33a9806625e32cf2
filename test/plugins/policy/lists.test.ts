// Threat T18: a list that a policy narrowed is for one caller and for now. Nobody is served what another one may see, and no cache is told to.
import { describe, expect, test } from 'vitest'
import { connectHttp } from '../../core/data-plane/clients.ts'
import { startHttpUpstream } from '../../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../../core/data-plane/opened.ts'
import { visitHttp } from '../../core/data-plane/stateless-client.ts'
import { type PolicyGateway, startPolicyGateway } from './policy-gateway.ts'

const opened = closeAfterEach()
/** What a server says that its lists are good for. */
const PUBLIC = '"ttlMs":60000,"cacheScope":"public"'
const tools = ['get', 'put'].map(name => `{"name":"${name}","inputSchema":{"type":"object"}}`)
const POLICY = `policy "desk" edition 1
allow support {
  who    role support
  call   up/get
}
allow support-reads {
  who  role support
  read up/"file:///open/**"
}
allow support-prompts {
  who    role support
  prompt up/sum
}
allow admin-calls {
  who  role admin
  call up/*
}
allow admin-reads {
  who  role admin
  read up/*
}
allow admin-prompts {
  who    role admin
  prompt up/*
}
`
const LISTS = [
  ['tools/list', 'tools', 'name', ['get', 'put'], ['get']],
  ['resources/list', 'resources', 'uri', ['file:///open/a', 'file:///secret'], ['file:///open/a']],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate', ['file:///open/{x}', 'file:///secret/{x}'], ['file:///open/{x}']],
  ['prompts/list', 'prompts', 'name', ['sum', 'plan'], ['sum']],
] as const

/** A server of each revision; whatever its own, it calls its lists public. */
async function start(era: 'legacy' | 'modern', many: readonly string[] = tools): Promise<PolicyGateway> {
  const complete = era === 'modern' ? '"resultType":"complete",' : ''
  const saying = (field: string, items: string) => (received: { result(json: string): void }) =>
    received.result(`{${complete}"${field}":[${items}],${PUBLIC}}`)
  const capabilities = '{"tools":{},"resources":{},"prompts":{}}'
  const server = await startHttpUpstream({
    ...(era === 'modern' ? { modern: capabilities } : { capabilities }),
    on: {
      'tools/list': saying('tools', many.join()),
      'resources/list': saying('resources', '{"uri":"file:///open/a","name":"a"},{"uri":"file:///secret","name":"s"}'),
      'resources/templates/list': saying(
        'resourceTemplates',
        '{"uriTemplate":"file:///open/{x}","name":"o"},{"uriTemplate":"file:///secret/{x}","name":"s"}',
      ),
      'prompts/list': saying('prompts', '{"name":"sum"},{"name":"plan"}'),
      'resources/read': saying('contents', ''),
    },
  })
  opened(server)
  return opened(await startPolicyGateway([server.server('up', { protocol: 'auto' })], POLICY))
}
interface Listing {
  ask(method: string, params?: Readonly<Record<string, unknown>>): Promise<{ result: Readonly<Record<string, unknown>> }>
}
const clientOf = async (gateway: PolicyGateway, era: 'legacy' | 'modern', who: string): Promise<Listing> => {
  const options = { path: '/mcp/up', headers: { authorization: who } }
  return era === 'modern' ? visitHttp(gateway, options) : connectHttp(gateway, options)
}
const ERAS = (['legacy', 'modern'] as const).flatMap(client => (['legacy', 'modern'] as const).map(server => ({ client, server })))

describe.each(ERAS)('a $client client in front of a $server server', ({ client, server }) => {
  test('gets its own list, whoever asked before, and no hint that anybody else may have it', async () => {
    const gateway = await start(server)
    const [admin, support, nobody] = await Promise.all(['admin', 'support', 'guest'].map(who => clientOf(gateway, client, who)))
    for (const [method, field, key, all, some] of LISTS) {
      for (const [who, expected] of [
        [admin, all],
        [support, some],
        [nobody, []],
        [admin, all],
        [support, some],
      ] as const) {
        const { result } = await who!.ask(method)
        expect(
          (result[field] as Record<string, string>[]).map(one => one[key]),
          method,
        ).toEqual(expected)
        expect(JSON.stringify(result)).not.toContain('public')
        // Older revisions know no hints at all; a narrowed list is stale with the next word of a policy.
        if (client === 'legacy') expect(Object.keys(result)).toEqual([field])
        else expect(result).toMatchObject({ cacheScope: 'private', ttlMs: expected.length === all.length ? 60_000 : 0 })
      }
    }
  })

  test('gets the list of the bundle that is in force, not of the one before', async () => {
    const gateway = await start(server)
    const support = await clientOf(gateway, client, 'support')
    const listed = async () => ((await support.ask('tools/list')).result.tools as { name: string }[]).map(one => one.name)
    expect(await listed()).toEqual(['get'])
    gateway.write('policy "desk" edition 1\nallow put { who role support call up/put }')
    await gateway.hooks.reload?.()
    expect(await listed()).toEqual(['put'])
  })

  test('goes on in a narrowed list from its own cursor only, and each page is narrowed', async () => {
    const many = Array.from({ length: 2_500 }, (_, at) => `{"name":"${at % 2 === 0 ? 'get' : 'put'}${at}","inputSchema":{"type":"object"}}`)
    const gateway = await start(server, many)
    gateway.write('policy "desk" edition 1\nallow even { who role support call up/get* }\nallow all { who role admin call up/* }')
    await gateway.hooks.reload?.()
    const [admin, support, other] = await Promise.all(['admin', 'support:ann', 'support:bob'].map(who => clientOf(gateway, client, who)))
    const first = (await support!.ask('tools/list')).result
    const second = (await support!.ask('tools/list', { cursor: first.nextCursor })).result
    const seen = [first, second].flatMap(page => page.tools as { name: string }[])
    expect([first, second].map(page => page.cacheScope)).toEqual(client === 'modern' ? ['private', 'private'] : [undefined, undefined])
    expect(seen).toHaveLength(1_250)
    expect(seen.filter(({ name }) => !name.startsWith('get'))).toEqual([])
    for (const who of [admin, other])
      expect(await who!.ask('tools/list', { cursor: first.nextCursor })).toMatchObject({ error: { code: -32602 } })
  })
})

test('what is read is for its reader, and an answer over HTTP is for no cache on the way', async () => {
  const gateway = await start('modern')
  const admin = visitHttp(gateway, { path: '/mcp/up', headers: { authorization: 'admin' } })
  expect((await admin.ask('resources/read', { uri: 'file:///open/a' })).result).toMatchObject({ cacheScope: 'private' })
  expect((await admin.ask('server/discover')).result).toMatchObject({ cacheScope: 'private' })
  const { headers, done } = await admin
    .start('tools/list')
    .then(async stream => ({ done: stream.done, headers: (await stream.done).headers }))
  await done
  expect(headers['cache-control'] ?? 'no-store').toMatch(/no-store|private/)
  expect(headers['cache-control'] ?? '').not.toContain('public')
})
