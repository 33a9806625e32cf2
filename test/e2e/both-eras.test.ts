// Both official SDKs' clients, in every mode of theirs, in front of servers of both eras: nobody notices whom he speaks with.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as Transport1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI, type Gateway, gatewayIsBuilt, startGateway } from './gateway.ts'
import { createSandbox, everything, type Sandbox } from './servers.ts'

const SDK2 = fileURLToPath(new URL('../fixtures/upstream/sdk2-server.mjs', import.meta.url))
const INFO = { name: 'both-eras', version: '1' }

/** What the tests ask of a client, whichever SDK it is made with. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(
    params: { name: string; arguments?: Record<string, unknown> },
    onprogress?: (progress: { progress: number }) => void,
  ): Promise<unknown>
  readResource(params: { uri: string }): Promise<unknown>
  getPrompt(params: { name: string }): Promise<unknown>
  /** Resolves when the client has heard that the list of tools has changed. */
  changed(): Promise<void>
  close(): Promise<void>
}

const answer = { action: 'accept' as const, content: { name: 'Ada' } }

async function connect1(target: Target): Promise<AnyClient> {
  const client = new Client1(INFO, { capabilities: { elicitation: { form: {} } } })
  client.setRequestHandler(ElicitRequestSchema, () => answer)
  const change = once1(heard => client.setNotificationHandler(ToolListChangedNotificationSchema, heard))
  await client.connect(('url' in target ? new Http1(new URL(target.url)) : new Stdio1(target)) as Transport1)
  return {
    listTools: () => client.listTools(),
    callTool: (params, onprogress) => client.callTool(params, undefined, onprogress && { onprogress }),
    readResource: params => client.readResource(params),
    getPrompt: params => client.getPrompt(params),
    changed: change,
    close: () => client.close(),
  }
}

function connect2(mode: 'legacy' | 'auto' | 'modern') {
  return async (target: Target): Promise<AnyClient> => {
    let heard = (): void => {}
    const changed = once1(listener => {
      heard = listener
    })
    const client = new Client2(INFO, {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => heard() } },
    })
    client.setRequestHandler('elicitation/create', () => answer)
    await client.connect('url' in target ? new Http2(new URL(target.url)) : new Stdio2(target))
    return {
      listTools: () => client.listTools(),
      callTool: (params, onprogress) => client.callTool(params, onprogress && { onprogress }),
      readResource: params => client.readResource(params),
      getPrompt: params => client.getPrompt(params),
      changed,
      close: () => client.close(),
    }
  }
}

function once1(listen: (heard: () => void) => void): () => Promise<void> {
  const first = new Promise<void>(resolve => listen(resolve))
  return () => first
}

type Target = { readonly url: string } | { readonly command: string; readonly args: string[]; readonly cwd: string }

const clients = {
  'SDK 1': connect1,
  'SDK 2, legacy': connect2('legacy'),
  'SDK 2, auto': connect2('auto'),
  'SDK 2, modern': connect2('modern'),
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

const text = (value: unknown): string => (value as { content: { text: string }[] }).content[0]!.text

describe.skipIf(!gatewayIsBuilt)('the gateway', () => {
  let sandbox: Sandbox
  let remote: ChildProcess
  let gateway: Gateway
  const config: Record<string, unknown> = {}

  beforeAll(async () => {
    sandbox = createSandbox()
    const port = await freePort()
    remote = spawn(process.execPath, [SDK2, String(port), 'modern'], { stdio: ['ignore', 'ignore', 'pipe'] })
    await once(remote.stderr!, 'data')
    config.servers = [
      { id: 'child', command: process.execPath, args: [SDK2, 'stdio', 'modern'] },
      { id: 'dual', command: process.execPath, args: [SDK2, 'stdio', 'dual'] },
      { id: 'remote', url: `http://127.0.0.1:${port}/mcp` },
      { id: 'everything', ...everything() },
    ]
    gateway = await startGateway({ dir: join(sandbox.root, 'http'), stdio: false, config })
    // For the clients that start it themselves.
    await (await startGateway({ dir: join(sandbox.root, 'stdio'), stdio: true, config })).stop()
  }, 60_000)

  afterAll(async () => {
    await gateway?.stop()
    remote?.kill()
    sandbox?.remove()
  })

  const targets = {
    http: (): Target => ({ url: gateway.url }),
    stdio: (): Target => ({
      command: process.execPath,
      args: [CLI, 'run', '--stdio', '--config', join(sandbox.root, 'stdio', 'mcpgw.yaml')],
      cwd: join(sandbox.root, 'stdio'),
    }),
  }

  for (const [name, connect] of Object.entries(clients)) {
    for (const way of ['http', 'stdio'] as const) {
      test(`serves ${name} over ${way}, whatever the server speaks`, async () => {
        const client = await connect(targets[way]())
        try {
          const { tools } = await client.listTools()
          for (const server of ['child', 'dual', 'remote']) {
            expect(tools.map(tool => tool.name)).toEqual(expect.arrayContaining([`${server}__greet`, `${server}__ask`]))
            expect(text(await client.callTool({ name: `${server}__greet`, arguments: { name: 'Bo' } }))).toBe('hello, Bo')
            expect(text(await client.callTool({ name: `${server}__ask`, arguments: { about: 'x' } }))).toBe('Ada about x')
            const seen: number[] = []
            const steps = await client.callTool({ name: `${server}__steps`, arguments: { count: 3 } }, one => seen.push(one.progress))
            expect([text(steps), seen]).toEqual(['3 steps', [1, 2, 3]])
            expect(await client.getPrompt({ name: `${server}__hi` })).toMatchObject({ messages: [{ content: { text: 'hi' } }] })
          }
          expect(text(await client.callTool({ name: 'everything__echo', arguments: { message: 'again' } }))).toBe('Echo: again')
          const asked = await client.callTool({ name: 'everything__trigger-elicitation-request' })
          expect(JSON.stringify(asked)).toContain('Ada')
          await client.callTool({ name: 'child__flip' })
          await client.changed()
        } finally {
          await client.close()
        }
      })
    }
  }
})
