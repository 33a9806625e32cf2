// Every way on which text travels, through the real pipeline with the record behind it: what the plugin finds is on none of them.
import type { JsonObject, Resource } from 'mcpgw/plugin'
import { createTemporaryStores, type Harness, harness, runCommand, type TemporaryStores } from 'mcpgw/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import audit from '../../../plugins/audit/index.ts'
import redact from '../../../plugins/redact/index.ts'

const values = ['4111 1111 1111 1111', 'ann.lee@example.com', '536-90-4399', 'AKIAIOSFODNN7EXAMPLE', 'DE89370400440532013000']
const leak = `see ${values.join(', ')}.`
const spellings = values.flatMap(value => [
  value,
  value.replaceAll(' ', ''),
  Buffer.from(value).toString('base64').slice(0, 12),
  encodeURIComponent(value),
])

const recorded = { durability: 'os', content: 'full' }
let stores: TemporaryStores
let world: Harness
beforeAll(async () => {
  stores = createTemporaryStores()
  world = await harness({ plugins: [{ plugin: audit, config: recorded }, redact], stores })
})
afterAll(async () => {
  await world.stop()
  stores.remove()
})

function expectNone(what: unknown): void {
  const text = typeof what === 'string' ? what : JSON.stringify(what)
  for (const spelling of spellings) expect(text).not.toContain(spelling)
}

const call: Resource = { kind: 'call', server: 's', tool: 't' }

/** What the client gets of this answer of the server. */
async function answered(method: string, resource: Resource, result: JsonObject): Promise<unknown> {
  world.upstream.on('s', () => result)
  world.upstream.on('s/t', () => result)
  const { value } = await world.send(method, resource, {})
  expect(JSON.stringify(value)).toContain('[EMAIL]')
  return value
}

test('arguments, on their way to the server', async () => {
  await world.call('s', 'args', { a: leak, deep: [{ b: Buffer.from(leak).toString('base64') }], [leak]: 1, c: encodeURIComponent(leak) })
  expectNone(world.upstream.received.at(-1)!.params.value)
})

test('results: text, structured content and its twin, embedded and linked resources, _meta', async () => {
  const twin = { a: leak, [leak]: 1 }
  const value = await answered('tools/call', call, {
    content: [
      { type: 'text', text: leak },
      { type: 'text', text: JSON.stringify(twin) },
      { type: 'resource', resource: { uri: 'a://b', text: leak } },
      { type: 'resource', resource: { uri: 'a://c', blob: Buffer.from(leak).toString('base64') } },
      { type: 'resource_link', uri: 'a://d', name: 'd', title: leak, description: leak },
    ],
    structuredContent: twin,
    isError: true,
    _meta: { note: leak },
  })
  expectNone(value)
  const { content, structuredContent } = value as { content: { text: string }[]; structuredContent: unknown }
  expect(JSON.parse(content[1]!.text)).toEqual(structuredContent)
})

test('errors of the server: message and data', async () => {
  const { exchange } = await world.send('tools/call', call, {})
  const error = Json.of({ code: -32000, message: leak, data: { why: leak, [leak]: [leak] } })
  expectNone((await world.kernel.pipeline.respond(exchange, { kind: 'error', payload: error })).payload.value)
})

test('resources, prompts and completions', async () => {
  const read: Resource = { kind: 'read', server: 's', uri: 'a://b' }
  const blob = Buffer.from(leak).toString('base64')
  expectNone(
    await answered('resources/read', read, {
      contents: [
        { uri: 'a://b', text: leak },
        { uri: 'a://c', blob },
      ],
    }),
  )
  const prompt: Resource = { kind: 'prompt', server: 's', prompt: 'p' }
  const messages = [{ role: 'user', content: { type: 'text', text: leak } }]
  expectNone(await answered('prompts/get', prompt, { description: leak, messages }))
  expectNone(await answered('completion/complete', prompt, { completion: { values: [leak, 'x'] } }))
})

test('lists: descriptions, titles and the prose of schemas', async () => {
  const { exchange } = await world.send('tools/list', { kind: 'list', of: 'tools' })
  const inputSchema = {
    type: 'object',
    description: leak,
    properties: { a: { type: 'string', description: leak, default: leak, examples: [leak] } },
  }
  const lists: JsonObject[] = [
    { tools: [{ name: 't', title: leak, description: leak, inputSchema, annotations: { title: leak } }] },
    { resources: [{ uri: 'a://b', name: 'b', description: leak }] },
    { prompts: [{ name: 'p', description: leak, arguments: [{ name: 'x', description: leak }] }] },
  ]
  for (const list of lists)
    expectNone((await world.kernel.pipeline.respond(exchange, { kind: 'result', payload: Json.of(list) })).payload.value)
})

test('notifications of a call and of a session', async () => {
  const { exchange } = await world.send('tools/call', call, {})
  for (const x of [exchange, undefined]) {
    for (const [method, params] of [
      ['notifications/progress', { progressToken: 1, progress: 1, message: leak }],
      ['notifications/message', { level: 'info', data: { a: leak } }],
      ['notifications/other', { any: [leak] }],
    ] as const) {
      const told = await world.kernel.pipeline.notify(x, { method, params: Json.of(params) })
      expect(told!.params.text).toContain('[EMAIL]')
      expectNone(told!.params.text)
    }
  }
})

test('what a server asks the client, and what the client answers', async () => {
  const method: Resource = { kind: 'method', server: 's', method: 'sampling/createMessage' }
  const messages = [{ role: 'user', content: { type: 'text', text: leak } }]
  world.upstream.on('s', () => ({ role: 'assistant', content: { type: 'text', text: leak } }))
  const { value } = await world.send('sampling/createMessage', method, { messages, systemPrompt: leak }, { direction: 'to-client' })
  expectNone(value)
  expectNone(world.upstream.received.at(-1)!.params.value)
})

test('the record of all that, opened', async () => {
  await world.stop()
  const { out, code } = await runCommand(audit, ['audit', 'log'], {
    config: recorded,
    options: { limit: '1000' },
    json: true,
    stores,
    recorded: [],
  })
  expect(code).toBe(0)
  for (const kept of ['[EMAIL]', '"args"', '"result"', '"redactions"']) expect(out).toContain(kept)
  expectNone(out)
})
