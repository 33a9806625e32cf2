// Policies through a running gateway: cases 26 to 28, and threats T6, T18, T46 and T56.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import { lockText } from '../../../plugins/policy/catalog/lock-text.ts'
import { makeLock } from '../../../plugins/policy/catalog/make-lock.ts'
import { connectHttp, type HttpClient } from '../../core/data-plane/clients.ts'
import { startHttpUpstream } from '../../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../../core/data-plane/opened.ts'
import type { Handler } from '../../core/data-plane/script.ts'
import { startPolicyGateway } from './policy-gateway.ts'

const opened = closeAfterEach()
const saying =
  (json: string): Handler =>
  received =>
    received.result(json)
const tool = (name: string): string =>
  JSON.stringify({ name, inputSchema: { type: 'object', properties: { id: { type: 'string' }, amount: { type: 'integer' } } } })

async function crm(more: Record<string, Handler> = {}) {
  return opened(
    await startHttpUpstream({
      capabilities: '{"tools":{},"resources":{"subscribe":true},"prompts":{},"completions":{}}',
      tools: ['get', 'put', 'refund', 'drop'].map(tool),
      on: {
        'tools/call': saying('{"content":[]}'),
        'prompts/list': saying('{"prompts":[{"name":"sum"},{"name":"plan"}]}'),
        'prompts/get': saying('{"messages":[]}'),
        'resources/list': saying('{"resources":[{"uri":"file:///handbook/a","name":"a"},{"uri":"file:///secret","name":"s"}]}'),
        'resources/templates/list': saying(
          '{"resourceTemplates":[{"uriTemplate":"file:///handbook/{x}","name":"h"},{"uriTemplate":"git:///{x}","name":"g"}]}',
        ),
        'resources/read': saying('{"contents":[]}'),
        'resources/subscribe': saying('{}'),
        'completion/complete': saying('{"completion":{"values":[]}}'),
        ...more,
      },
    }),
  )
}

const POLICY = `policy "desk" edition 1

allow reads {
  who  role support
  call crm/get
  when { args.id == principal.claims.customer_id }
}
allow admins {
  who  role admin
  call crm/*
}
`

const DOCS = `
allow handbook {
  who  role support
  read crm/"file:///handbook/**"
}
allow prompts {
  who    role support
  prompt crm/sum
}
allow small-refunds {
  who  role support
  call crm/refund
  when { has(args.amount) && args.amount < 100 }
}
deny no-drop {
  call    crm/drop
  because "nothing is dropped"
}
`

async function start(text = POLICY + DOCS, options = {}) {
  const server = await crm()
  const gateway = opened(await startPolicyGateway([server.server('crm')], text, options))
  const as = (who: string): Promise<HttpClient> =>
    connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: who }, capabilities: '{"sampling":{},"elicitation":{"url":{}}}' })
  return { server, gateway, support: await as('support'), admin: await as('admin'), as }
}
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const codeOf = ({ error, result }: any): string | undefined => error?.data?.mcpgw.code ?? result?._meta?.['mcpgw/refusal']?.code

test('a condition on arguments holds only for what it says; absent, null and other arguments never pass it', async () => {
  const { support, server } = await start()
  expect(codeOf(await support.ask('tools/call', { name: 'get', arguments: { id: 'c-1' } }))).toBeUndefined()
  for (const params of [{}, { arguments: {} }, { arguments: { id: 'c-2' } }])
    expect(codeOf(await support.ask('tools/call', { name: 'get', ...params })), JSON.stringify(params)).toBe('denied')
  for (const args of [null, [], '', { id: null }, { id: ['c-1'] }, { id: 1 }])
    expect(codeOf(await support.ask('tools/call', { name: 'get', arguments: args })), JSON.stringify(args)).toBe('invalid-arguments')
  expect(server.of('tools/call')).toHaveLength(1)
})

test('lists have what may be called for some arguments and nothing that never may; a hidden tool answers as one that does not exist', async () => {
  const { support, admin } = await start()
  const names = async (client: HttpClient) => (await client.ask('tools/list')).result.tools.map((one: { name: string }) => one.name)
  expect(await names(support)).toEqual(['get', 'refund'])
  expect(await names(admin)).toEqual(['get', 'put', 'refund'])
  expect(await names(support)).toEqual(['get', 'refund'])
  const shown = async (name: string) => {
    const { error } = await support.ask('tools/call', { name, arguments: { id: 'x' } })
    return { ...error, data: { ...error.data, mcpgw: { ...error.data.mcpgw, callId: '' } } }
  }
  expect(await shown('put')).toEqual(await shown('none'))
  // What an argument decides is seen, and denied with the reason of the policy.
  expect(codeOf(await support.ask('tools/call', { name: 'refund', arguments: { amount: 500 } }))).toBe('denied')
  expect(codeOf(await support.ask('tools/call', { name: 'refund', arguments: { amount: 50 } }))).toBeUndefined()
})

test('reads, subscriptions, templates, prompts and completions are governed like calls', async () => {
  const { support, admin, server } = await start()
  const uris = (await support.ask('resources/list')).result.resources.map((one: { uri: string }) => one.uri)
  expect(uris).toEqual(['file:///handbook/a'])
  const templates = (await support.ask('resources/templates/list')).result.resourceTemplates
  expect(templates.map((one: { uriTemplate: string }) => one.uriTemplate)).toEqual(['file:///handbook/{x}'])
  expect((await support.ask('prompts/list')).result.prompts).toEqual([{ name: 'sum' }])
  expect(codeOf(await support.ask('resources/read', { uri: 'file:///handbook/b' }))).toBeUndefined()
  for (const uri of ['file:///secret', 'file:///handbook/../secret', 'file:///handbook/%2e%2e/secret', 'file:///handbook//../secret'])
    for (const method of ['resources/read', 'resources/subscribe'])
      expect(codeOf(await support.ask(method, { uri })), uri).toBe('unknown-resource')
  expect(codeOf(await support.ask('prompts/get', { name: 'sum' }))).toBeUndefined()
  expect(codeOf(await support.ask('prompts/get', { name: 'plan' }))).toBe('unknown-prompt')
  const complete = (name: string) =>
    support.ask('completion/complete', { ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } })
  expect([codeOf(await complete('sum')), codeOf(await complete('plan'))]).toEqual([undefined, 'unknown-prompt'])
  // An allow of tools is none of resources.
  expect((await admin.ask('resources/list')).result.resources).toEqual([])
  expect(server.of('resources/read')).toHaveLength(1)
})

test('a completion is decided by the arguments that its prompt has already, and by none that no server reads', async () => {
  const rules = 'allow sums { who role support prompt crm/sum when { has(args.page) && args.page == "handbook" } }'
  const { support, server } = await start(`${POLICY}${rules}`)
  const complete = (more: object) =>
    support.ask('completion/complete', { ref: { type: 'ref/prompt', name: 'sum' }, argument: { name: 'x', value: '' }, ...more })
  expect(codeOf(await complete({}))).toBe('denied')
  expect(codeOf(await complete({ arguments: { page: 'handbook' } }))).toBe('denied')
  expect(codeOf(await complete({ context: { arguments: { page: 'salaries' } } }))).toBe('denied')
  expect(codeOf(await complete({ context: { arguments: { page: 'handbook' } } }))).toBeUndefined()
  expect(server.of('completion/complete')).toHaveLength(1)
})

test('a prompt that is not as the lock has it is refused before anybody lists prompts', async () => {
  const at = mkdtempSync(join(tmpdir(), 'mcpgw-lock-'))
  onTestFinished(() => rmSync(at, { recursive: true, force: true }))
  const prompt = (name: string, more: object = {}) => ({ name, definition: Json.of({ name, ...more }) })
  const lock = makeLock({ servers: [], dischargers: [], roles: [], tenants: [] }, [
    { id: 'crm', tools: [], resources: [], templates: [], prompts: [prompt('sum', { description: 'Sums up' }), prompt('plan')] },
  ])
  writeFileSync(join(at, 'lock.json'), lockText(lock))
  const server = await crm()
  const options = { catalog: 'pinned', lock: join(at, 'lock.json') }
  const gateway = opened(
    await startPolicyGateway([server.server('crm')], 'policy "p" edition 1\nallow p { who role support prompt crm/* }', options),
  )
  const support = await connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: 'support' } })
  expect(codeOf(await support.ask('prompts/get', { name: 'sum' }))).toBe('unknown-prompt')
  expect(codeOf(await support.ask('prompts/get', { name: 'plan' }))).toBeUndefined()
})

test('methods that nobody knows are denied unless a rule allows them', async () => {
  const { support } = await start(`${POLICY}allow odd { who role support method crm/"x/known" }`)
  expect(codeOf(await support.ask('x/other'))).toBe('denied')
  expect(codeOf(await support.ask('x/known'))).not.toBe('denied')
})

test('what a server asks of a client goes through only where a rule allows the method for that server', async () => {
  const asking: Handler = received => {
    received.say(JSON.stringify({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }))
    void server
      .next('')
      .then(({ message }) => received.result(JSON.stringify({ content: [], asked: message.error?.message ?? 'answered' })))
  }
  const server = await crm({ 'tools/call': asking })
  const ask = async (text: string) => {
    const gateway = opened(await startPolicyGateway([server.server('crm')], text))
    const client = await connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: 'admin' }, capabilities: '{"sampling":{}}' })
    const stream = await client.start('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get"}}')
    const first = await stream.next()
    if (first.method !== 'sampling/createMessage') return first.result.asked
    await client.post(JSON.stringify({ jsonrpc: '2.0', id: first.id, result: { role: 'assistant', content: { type: 'text', text: 'x' } } }))
    return (await stream.next()).result.asked
  }
  expect(await ask(POLICY)).toContain('no policy allows this')
  expect(await ask(`${POLICY}allow model { who any method crm/"sampling/createMessage" }`)).toBe('answered')
})

test('a deny beats every allow, and tells its reason and nothing more', async () => {
  const { gateway, server } = await start(
    `${POLICY}deny no-put { call crm/put when { args.id == "9" || !has(args.id) } because "not this one" }`,
  )
  const client = await connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: 'admin' } })
  const { result } = await client.ask('tools/call', { name: 'put', arguments: { id: '9' } })
  expect(result).toMatchObject({ isError: true, content: [{ text: 'not this one' }] })
  expect(JSON.stringify(result)).not.toContain('no-put')
  expect(server.of('tools/call')).toEqual([])
})

test('whoever has read the vault may not send data out, on whatever connection', async () => {
  const { as, admin } = await start(`${POLICY}deny no-exfil { call crm/put after call crm/get within 30m because "seen secrets" }`)
  expect(codeOf(await admin.ask('tools/call', { name: 'put' }))).toBeUndefined()
  await admin.ask('tools/call', { name: 'get' })
  expect(codeOf(await admin.ask('tools/call', { name: 'put' }))).toBe('denied')
  expect(codeOf(await (await as('admin')).ask('tools/call', { name: 'put' }))).toBe('denied')
  expect(codeOf(await (await as('admin:bob')).ask('tools/call', { name: 'put' }))).toBeUndefined()
})

test('once an hour means once also for two calls at the same time', async () => {
  const { admin, as } = await start(`${POLICY}deny once { call crm/put after call crm/put within 1h }`)
  const other = await as('admin')
  const codes = await Promise.all([admin, other, admin, other].map(async client => codeOf(await client.ask('tools/call', { name: 'put' }))))
  expect(codes.filter(code => code === undefined)).toHaveLength(1)
})

test.each([
  ['a pattern that backtracks without end', 'when { args.id.matches("(a+)+$") }', 'ok'],
  ['a pattern that is not RE2', 'when { args.id.matches("(?=a)b") }', 'bad-regex'],
  ['nested comprehensions', 'when { [1].all(a, [1].all(b, [1].all(c, [1].all(d, a == d)))) }', 'cel-'],
])('%s costs nothing: it runs in linear time or is refused at the start', async (_, clause, outcome) => {
  const policy = `policy "p" edition 1\nallow a { who any call crm/get ${clause} }`
  if (outcome !== 'ok') return expect(start(policy)).rejects.toThrow(outcome)
  const { admin } = await start(policy)
  expect(codeOf(await admin.ask('tools/call', { name: 'get', arguments: { id: `${'a'.repeat(50_000)}!` } }))).toBe('denied')
})

test('a bundle is reloaded under load: the last good one stays in force, no call is dropped, and three records tell of it', async () => {
  const { admin, gateway } = await start()
  let on = true
  const answers: (string | undefined)[] = []
  const load = Array.from({ length: 8 }, async () => {
    while (on) answers.push(codeOf(await admin.ask('tools/call', { name: 'get' })))
  })
  for (const text of [
    'policy oops',
    'policy "p" edition 1\nallow a { who any call @nowhere }',
    `${POLICY}deny all { call crm/get because "closed" }`,
  ]) {
    const before = answers.length
    gateway.write(text)
    await gateway.hooks.reload?.()
    while (answers.length < before + 50) await new Promise(resolve => setTimeout(resolve, 1))
    if (!text.includes('closed')) expect(answers.slice(before).every(code => code === undefined)).toBe(true)
  }
  on = false
  await Promise.all(load)
  expect(new Set(answers)).toEqual(new Set([undefined, 'unknown-tool']))
  expect(answers.at(-1)).toBe('unknown-tool')
  expect(gateway.recorded.map(one => one.type)).toEqual(['policy.load', 'policy.reload-refused', 'policy.reload-refused', 'policy.reload'])
  expect(JSON.stringify(gateway.recorded[1]!.detail)).toMatch(/a\.policy:1:\d+: error\[/)
})

test('older policies are decided as they say', async () => {
  const policies = [
    {
      id: 'reader-policy',
      roles: ['support'],
      rules: [
        { tool: 'get', action: 'allow' },
        { tool: '*', action: 'deny' },
      ],
    },
    { id: 'admin-policy', roles: ['admin'], rules: [{ action: 'allow' }] },
  ]
  const server = await crm()
  const gateway = opened(await startPolicyGateway([server.server('crm')], 'policy "none" edition 1', { policies }))
  const ask = async (role: string, name: string) =>
    codeOf(await (await connectHttp(gateway, { path: '/mcp/crm', headers: { authorization: role } })).ask('tools/call', { name }))
  expect([await ask('support', 'get'), await ask('support', 'put')]).toEqual([undefined, 'unknown-tool'])
  expect([await ask('admin', 'get'), await ask('admin', 'put'), await ask('nobody', 'get')]).toEqual([undefined, undefined, 'unknown-tool'])
})
