// The bundled demo servers, from the build, used by the official client: everything they offer works and fits its schema.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, it } from 'vitest'
import { demoServers } from '../../../core/demo/servers.ts'

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close()))
})

async function connect(id: string, capabilities = {}, prepare: (client: Client) => void = () => {}): Promise<Client> {
  const server = demoServers().find(one => one.id === id)!
  const client = new Client({ name: 'test', version: '1' }, { capabilities })
  prepare(client)
  await client.connect(new StdioClientTransport({ command: server.command, args: server.args }))
  clients.push(client)
  return client
}

function textIn(result: unknown): string {
  const { content } = result as { content: { text?: string }[] }
  return content.map(block => block.text ?? '').join('\n')
}

describe('demo servers', () => {
  it('describe every tool with a title, a schema and hints', async () => {
    for (const id of ['notes', 'desk']) {
      const { tools } = await (await connect(id)).listTools()
      expect(tools.map(tool => tool.name)).toEqual(
        id === 'notes'
          ? ['add_note', 'append_to_note', 'search_notes', 'delete_note']
          : ['get_customer', 'slow_report', 'ask_user', 'summarise', 'whoami'],
      )
      for (const tool of tools) {
        expect(tool.annotations).toMatchObject({ title: tool.title, readOnlyHint: expect.any(Boolean), openWorldHint: expect.any(Boolean) })
        expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
      }
    }
  })

  it('answer wrong arguments as the agent can read it, and unknown things as errors of the protocol', async () => {
    const client = await connect('desk')
    const wrong = [{}, { id: 7 }, { id: 'x' }, { id: 'C-9999' }, { id: 'C-1001', more: 1 }]
    for (const args of wrong) expect(await client.callTool({ name: 'get_customer', arguments: args })).toMatchObject({ isError: true })
    await expect(client.callTool({ name: 'constructor' })).rejects.toMatchObject({ code: -32602 })
    await expect(client.listPrompts()).rejects.toThrow()
  })
})

describe('notes', () => {
  it('adds, finds and deletes notes, and says that the list has changed', async () => {
    let changes = 0
    const client = await connect('notes', {}, one =>
      one.setNotificationHandler(ResourceListChangedNotificationSchema, () => void changes++),
    )
    const added = await client.callTool({ name: 'add_note', arguments: { title: 'Tea', text: 'Assam', tags: ['kitchen'] } })
    expect(added.structuredContent).toEqual({ uri: 'note://1' })
    expect(textIn(await client.callTool({ name: 'search_notes', arguments: { query: 'KITCHEN assam' } }))).toContain('note://1  Tea')
    expect((await client.listResources()).resources.map(one => one.uri)).toContain('note://1')
    await client.callTool({ name: 'delete_note', arguments: { uri: 'note://1' } })
    await expect(client.readResource({ uri: 'note://1' })).rejects.toMatchObject({ code: -32002 })
    expect(changes).toBe(2)
  })

  it('tells a subscriber of a change, until it unsubscribes', async () => {
    const updated: string[] = []
    const client = await connect('notes', {}, one =>
      one.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri)),
    )
    const append = (text: string) => client.callTool({ name: 'append_to_note', arguments: { uri: 'note://welcome', text } })
    await append('one')
    await client.subscribeResource({ uri: 'note://welcome' })
    await append('two')
    await client.unsubscribeResource({ uri: 'note://welcome' })
    await append('three')
    expect(updated).toEqual(['note://welcome'])
    const { contents } = await client.readResource({ uri: 'note://welcome' })
    expect(contents[0]).toMatchObject({ text: expect.stringMatching(/one\ntwo\nthree$/) })
  })

  it('offers a prompt over its notes', async () => {
    const client = await connect('notes')
    const { messages } = await client.getPrompt({ name: 'summarise_notes', arguments: { topic: 'olives' } })
    expect(messages[0]?.content).toMatchObject({ type: 'text', text: expect.stringMatching(/# Groceries/) })
    expect(messages[0]?.content).not.toMatchObject({ text: expect.stringMatching(/Welcome/) })
  })
})

describe('desk', () => {
  it('returns a customer with personal data, in text and in structured content', async () => {
    const client = await connect('desk')
    await client.listTools()
    const result = await client.callTool({ name: 'get_customer', arguments: { id: 'C-1001' } })
    const customer = { card: '4242 4242 4242 4242', ssn: '536-90-4399', email: 'ada.moreno@example.com' }
    expect(result.structuredContent).toMatchObject(customer)
    for (const value of Object.values(customer)) expect(textIn(result)).toContain(value)
  })

  it('reports progress', async () => {
    const client = await connect('desk')
    const seen: number[] = []
    const report = { name: 'slow_report', arguments: { weeks: 20, delay_ms: 5 } }
    const result = await client.callTool(report, undefined, { onprogress: ({ progress }) => seen.push(progress) })
    expect(textIn(result)).toBe('340 tickets in 20 weeks.')
    // The client loses progress that arrives in one chunk with the answer.
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1))
  })

  it('stops a report that is cancelled, and stays usable', async () => {
    const client = await connect('desk')
    const cancel = new AbortController()
    const report = { name: 'slow_report', arguments: { weeks: 100, delay_ms: 10_000 } }
    const call = client.callTool(report, undefined, { signal: cancel.signal })
    cancel.abort()
    await expect(call).rejects.toThrow()
    await client.ping()
  })

  it('asks the user and the model through the client', async () => {
    const client = await connect('desk', { elicitation: {}, sampling: {} }, one => {
      one.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { answer: 'blue' } }))
      one.setRequestHandler(CreateMessageRequestSchema, () => {
        return { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'In short.' } }
      })
    })
    expect(textIn(await client.callTool({ name: 'ask_user', arguments: { question: 'Which colour?' } }))).toBe('The user said: blue')
    expect(textIn(await client.callTool({ name: 'summarise', arguments: { text: 'Long.' } }))).toBe('In short.')
  })

  it('says so where the client can neither ask nor sample', async () => {
    const client = await connect('desk')
    expect(await client.callTool({ name: 'ask_user', arguments: { question: 'Well?' } })).toMatchObject({ isError: true })
    expect(await client.callTool({ name: 'summarise', arguments: { text: 'Long.' } })).toMatchObject({ isError: true })
  })

  it('names its environment, without values', async () => {
    const client = await connect('desk')
    const result = await client.callTool({ name: 'whoami', arguments: {} })
    expect((result.structuredContent as { environment: string[] }).environment).toContain('PATH')
    expect(textIn(result)).not.toContain(process.env.PATH)
  })
})
