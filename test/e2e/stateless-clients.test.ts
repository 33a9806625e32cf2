// The official client of revision 2026-07-28 in front of published servers of older revisions, through the built gateway, over HTTP and stdio.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Client, type ElicitRequest, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CLI, type Gateway, gatewayIsBuilt, startGateway } from './gateway.ts'
import { createSandbox, realServers, type Sandbox } from './servers.ts'

const REVISION = '2026-07-28'

function capableClient(
  files: string,
  elicit: (request: ElicitRequest) => object = () => ({ action: 'accept', content: { name: 'Ada' } }),
): Client {
  const client = new Client(
    { name: 'mcpgw-e2e', version: '1.0.0' },
    {
      versionNegotiation: { mode: { pin: REVISION } },
      capabilities: { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } },
    },
  )
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: pathToFileURL(files).href, name: 'files' }] }))
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    model: 'model-of-the-client',
    content: { type: 'text', text: 'forty-two' },
    stopReason: 'endTurn',
  }))
  client.setRequestHandler('elicitation/create', request => elicit(request as ElicitRequest) as never)
  return client
}

describe.skipIf(!gatewayIsBuilt).each(['http', 'stdio'] as const)('a stateless client over %s', way => {
  let sandbox: Sandbox
  let gateway: Gateway | undefined
  const opened: Client[] = []

  beforeAll(async () => {
    sandbox = createSandbox()
    const { thinking: _, ...servers } = realServers(sandbox)
    // Over stdio the client starts a gateway of its own; this one writes the file that it reads.
    gateway = await startGateway({ dir: join(sandbox.root, 'gateway'), stdio: false, mcpJson: servers })
  })
  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close()
  })
  afterAll(async () => {
    await gateway?.stop()
    sandbox.remove()
  })

  async function connect(client: Client): Promise<Client> {
    const dir = join(sandbox.root, 'gateway')
    const transport =
      way === 'http'
        ? new StreamableHTTPClientTransport(new URL(gateway!.url))
        : new StdioClientTransport({
            command: process.execPath,
            args: [CLI, 'run', '--stdio', '--mcp-json', join(dir, 'mcp.json')],
            cwd: dir,
            stderr: 'ignore',
          })
    await client.connect(transport)
    opened.push(client)
    return client
  }
  const textOf = (result: unknown): string => JSON.stringify(result)

  it('lists, calls, reads and hears of progress and logs without a handshake', async () => {
    const client = await connect(capableClient(sandbox.files))
    expect(client.getNegotiatedProtocolVersion()).toBe(REVISION)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['everything__echo', 'filesystem__read_text_file', 'memory__read_graph']),
    )
    expect(textOf(await client.callTool({ name: 'everything__echo', arguments: { message: 'hello' } }))).toContain('hello')
    const seen: number[] = []
    const long = { name: 'everything__trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }
    // The client counts its rounds as progress too: the server may ask for roots at any time.
    await client.callTool(long, { onprogress: ({ progress, message }) => void (message?.startsWith('Fulfilling') || seen.push(progress)) })
    // Over stdio the SDK forgets who wants to hear of the last step when it comes in one piece with the result.
    expect(way === 'stdio' ? seen.slice(0, 2) : seen).toEqual(way === 'stdio' ? [1, 2] : [1, 2, 3])
    const { resources } = await client.listResources()
    expect((await client.readResource({ uri: resources[0]!.uri })).contents).toHaveLength(1)
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toContain('everything__simple-prompt')
    expect((await client.getPrompt({ name: 'everything__simple-prompt' })).messages).not.toHaveLength(0)
  })

  it('is asked by servers with sessions: sampling, a form, a url, roots', async () => {
    let asked: ElicitRequest | undefined
    const client = await connect(
      capableClient(sandbox.files, request => {
        asked = request
        return { action: 'accept', content: { name: 'Ada', check: true, integer: 7 } }
      }),
    )
    const call = async (tool: string, args: Record<string, unknown> = {}) =>
      textOf(await client.callTool({ name: `everything__${tool}`, arguments: args }))
    expect(await call('trigger-sampling-request', { prompt: 'how many?', maxTokens: 7 })).toContain('forty-two')
    expect(await call('trigger-elicitation-request')).toContain('Name: Ada')
    expect(Object.keys(Object(asked?.params).requestedSchema.properties)).toHaveLength(13)
    expect(await call('trigger-url-elicitation', { url: 'https://example.com/consent', elicitationId: 'c-1' })).toContain('User completed')
    expect(asked?.params).toMatchObject({ mode: 'url', url: 'https://example.com/consent' })
    expect(await call('get-roots-list')).toContain(pathToFileURL(sandbox.files).href)
    expect(textOf(await client.callTool({ name: 'filesystem__list_allowed_directories', arguments: {} }))).toContain(sandbox.files)
  })

  it('hears of changes on a stream of its own, until it closes it', async () => {
    const client = await connect(capableClient(sandbox.files))
    const updates: string[] = []
    const heard = new Promise<void>(resolve =>
      client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        updates.push(params.uri)
        resolve()
      }),
    )
    const uri = 'demo://resource/dynamic/text/1'
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })
    expect(subscription.honoredFilter).toMatchObject({ resourceSubscriptions: [uri] })
    await client.callTool({ name: 'everything__toggle-subscriber-updates', arguments: {} })
    await heard
    expect(updates[0]).toBe(uri)
    await subscription.close()
    expect(await subscription.closed).toBe('local')
  })
})
