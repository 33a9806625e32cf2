// Tries the `mcpServers` snippets of the documentation as a client would: connects as they say, and asks for the tools.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { expect } from 'vitest'
import { loadConfig } from '../../core/index.ts'
import { root } from '../packed-project.ts'
import type { Workspace } from './workspace.ts'

interface Snippet {
  readonly command?: string
  readonly args?: readonly string[]
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
}

export async function tryClients(servers: Readonly<Record<string, unknown>>, at: Workspace): Promise<void> {
  expect(Object.keys(servers)).not.toEqual([])
  const snippets = Object.values(servers) as Snippet[]
  if (snippets.some(({ command, url }) => command !== 'mcpgw' && url === undefined)) return checkServers(servers, at)
  for (const snippet of snippets) {
    if (snippet.url !== undefined) await tryHttp({ ...snippet, url: snippet.url }, at)
    else await expectTools(startStdio(snippet, at))
  }
}

/** Servers to put behind the gateway: they need not be installed, but `--mcp-json` must understand them. */
async function checkServers(mcpServers: unknown, at: Workspace): Promise<void> {
  const file = join(at.dir, 'servers-of-the-page.json')
  writeFileSync(file, JSON.stringify({ mcpServers }))
  const loaded = await loadConfig({ mcpJson: file, env: {}, cwd: at.dir, getSecret: async name => `the-secret-${name}` })
  expect(loaded).toMatchObject({ ok: true, warnings: [] })
}

/** What stands behind the gateway of a snippet: a page may be about a config that has no servers yet. */
function keepConfig(at: Workspace): string {
  const folder = join(at.dir, 'of-clients')
  mkdirSync(folder, { recursive: true })
  const server = `{id: notes, command: node, args: [${join(root, 'dist/core/demo/notes.js')}]}`
  writeFileSync(join(folder, 'mcpgw.yaml'), `servers: [${server}]\nplugins: [audit, auth, redact]\n`)
  return folder
}

function startStdio({ args = [] }: Snippet, at: Workspace): Transport {
  // The one path in a page that no machine has.
  const own = args.map(word => word.replace('/path/to', keepConfig(at)))
  return new StdioClientTransport({ command: 'mcpgw', args: own, cwd: at.dir, env: { ...at.env, MCPGW_DOCS_KEEP: '1' }, stderr: 'ignore' })
}

/** Against a gateway that runs in the workspace, with a key made for it. */
async function tryHttp({ url, headers = {} }: Snippet & { url: string }, at: Workspace): Promise<void> {
  const config = ['--config', join(keepConfig(at), 'mcpgw.yaml')]
  const made = await at.run('mcpgw', ['keys', 'create', 'Page', 'page', ...config])
  const gateway = spawn(process.execPath, [join(root, 'dist/core/cli.js'), 'run', ...config], {
    cwd: at.dir,
    env: at.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const endpoint = await readEndpoint(gateway.stderr)
    const address = new URL(new URL(url).pathname, endpoint)
    const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('YOUR_KEY', made.out.trim())]))
    await expectTools(new StreamableHTTPClientTransport(address, { requestInit: { headers: own } }) as Transport)
  } finally {
    gateway.kill('SIGTERM')
    await once(gateway, 'close')
  }
}

async function readEndpoint(stderr: AsyncIterable<Buffer>): Promise<string> {
  let said = ''
  for await (const chunk of stderr) {
    said += chunk.toString()
    const [, endpoint] = /^endpoint +(\S+)$.*^ready in /ms.exec(said) ?? []
    if (endpoint !== undefined) return endpoint
  }
  throw new Error(said)
}

async function expectTools(transport: Transport): Promise<void> {
  const client = new Client({ name: 'docs', version: '1.0.0' })
  await client.connect(transport)
  try {
    expect((await client.listTools()).tools).not.toEqual([])
  } finally {
    await client.close()
  }
}
