// What servers ask of clients, end to end: sampling, elicitation by form and by URL, roots.
import { pathToFileURL } from 'node:url'
import {
  type CreateMessageRequest,
  type ElicitRequest,
  type LoggingMessageNotification,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, expect, test } from 'vitest'
import { type ClientAnswers, collectNotifications, createCapableClient, defaultAnswers, type Inbox } from './clients.ts'
import { realServers } from './servers.ts'
import { describeEachWay, useConnection } from './ways.ts'

describeEachWay('requests of servers', way => {
  let answers: ClientAnswers
  let logs: Inbox<LoggingMessageNotification>
  const connection = useConnection(way, {
    servers: realServers,
    client(server, { files }) {
      answers ??= defaultAnswers([{ uri: pathToFileURL(files).href, name: 'files' }])
      const client = createCapableClient(answers)
      if (server === '' || server === 'everything') logs = collectNotifications(client, LoggingMessageNotificationSchema)
      return client
    },
  })
  const call = async (tool: string, args: Record<string, unknown> = {}) => {
    const { client, named } = connection().link('everything')
    return JSON.stringify(await client.callTool({ name: named(tool), arguments: args }))
  }
  afterEach(() => {
    Object.assign(answers, { ...defaultAnswers(), roots: answers.roots })
  })

  test('sampling reaches the client as it was asked, and the answer reaches the server', async () => {
    let asked: CreateMessageRequest | undefined
    answers.sample = request => {
      asked = request
      return { role: 'assistant', model: 'model-of-the-client', content: { type: 'text', text: 'forty-two' } }
    }
    const result = await call('trigger-sampling-request', { prompt: 'how many?', maxTokens: 7 })
    expect(asked?.params).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: expect.stringContaining('how many?') } }],
      systemPrompt: 'You are a helpful test server.',
      maxTokens: 7,
      temperature: 0.7,
    })
    expect(result).toContain('forty-two')
    expect(result).toContain('model-of-the-client')
  })

  test('a client that fails to sample is an error of that call alone', async () => {
    answers.sample = () => {
      throw new Error('no model today')
    }
    expect(await call('trigger-sampling-request', { prompt: 'x' })).toMatch(/"isError":true/)
    expect(await call('echo', { message: 'still here' })).toContain('still here')
  })

  test('an elicitation form reaches the client whole, and what was filled in reaches the server', async () => {
    let asked: ElicitRequest | undefined
    answers.elicit = request => {
      asked = request
      return { action: 'accept', content: { name: 'Ada', check: true, integer: 7 } }
    }
    const result = await call('trigger-elicitation-request')
    expect(asked?.params).toMatchObject({
      requestedSchema: { type: 'object', required: ['name'], properties: { integer: { maximum: 100 } } },
    })
    expect(Object.keys(Object(asked?.params).requestedSchema.properties)).toHaveLength(13)
    expect(result).toContain('Name: Ada')
    expect(result).toContain('Favorite Integer: 7')
  })

  test.each([
    ['decline', 'User declined'],
    ['cancel', 'User cancelled'],
  ] as const)('an elicitation may end in %s', async (action, shown) => {
    answers.elicit = () => ({ action })
    expect(await call('trigger-elicitation-request')).toContain(shown)
  })

  test('an elicitation by URL reaches the client with its id', async () => {
    let asked: ElicitRequest | undefined
    answers.elicit = request => {
      asked = request
      return { action: 'accept' }
    }
    const result = await call('trigger-url-elicitation', { url: 'https://example.com/consent', elicitationId: 'consent-1' })
    expect(asked?.params).toMatchObject({ mode: 'url', url: 'https://example.com/consent', elicitationId: 'consent-1' })
    expect(result).toContain('User completed the URL elicitation flow')
  })

  test('a call refused until a URL was visited says so with its data, and passes when retried', async () => {
    const args = { url: 'https://example.com/first', elicitationId: 'first-1', errorPath: true }
    await expect(call('trigger-url-elicitation', args)).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [{ mode: 'url', url: 'https://modelcontextprotocol.io', elicitationId: expect.any(String) }] },
    })
    expect(await call('trigger-url-elicitation', args)).toContain('User completed the URL elicitation flow')
  })

  test('roots of the client are what the servers see', async () => {
    const { sandbox, link } = connection()
    expect(await call('get-roots-list')).toContain(pathToFileURL(sandbox.files).href)
    const { client, named } = link('filesystem')
    expect(JSON.stringify(await client.callTool({ name: named('list_allowed_directories') }))).toContain(sandbox.files)
  })

  test('a change of roots reaches the servers', async () => {
    const { sandbox, link } = connection()
    await call('get-roots-list')
    answers.roots = [...answers.roots, { uri: pathToFileURL(sandbox.root).href, name: 'all of it' }]
    await link('everything').client.sendRootsListChanged()
    await logs.take(({ params }) => String(params.data).startsWith('Roots updated: 2 root(s)'))
    expect(await call('get-roots-list')).toContain('all of it')
  })
})
