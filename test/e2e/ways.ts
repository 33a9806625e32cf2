// The same expectations three times: straight to each server, through the gateway over HTTP, and through it over stdio.
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { gatewayIsBuilt, startGateway } from './gateway.ts'
import { createSandbox, type Sandbox, type ServerEntries } from './servers.ts'

export type Way = 'direct' | 'gateway over http' | 'gateway over stdio'

/** How a test reaches one server. */
export interface Link {
  readonly client: Client
  /** The name under which a tool or prompt of the server is known here. */
  readonly named: (name: string) => string
}

export interface Connection {
  readonly sandbox: Sandbox
  readonly link: (server: string) => Link
}

export interface ConnectionSetup {
  servers(sandbox: Sandbox): ServerEntries
  /** Makes a client, handlers included. Called once for each server of a direct connection, else once, with the server ''. */
  client(server: string, sandbox: Sandbox): Client
}

const ARGS = ['--plugin', 'audit', '--plugin', 'redact']

/** Runs the tests once for each way. The ways through the gateway are skipped, visibly, where it is not built. */
export function describeEachWay(what: string, tests: (way: Way) => void): void {
  describe(`${what}, direct`, () => tests('direct'))
  for (const way of ['gateway over http', 'gateway over stdio'] as const) {
    describe.skipIf(!gatewayIsBuilt)(`${what}, ${way}`, () => tests(way))
  }
}

/** Opens a connection before the tests of a `describe`, closes it after them, and shows the gateway's stderr when one fails. */
export function useConnection(way: Way, setup: ConnectionSetup): () => Connection {
  let opened: (Connection & { said(): string; close(): Promise<void> }) | undefined
  beforeAll(async () => {
    opened = await openConnection(way, setup)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(`stderr of ${way}:\n${opened?.said() ?? ''}`)
  })
  afterAll(() => opened?.close())
  return () => {
    if (opened === undefined) throw new Error('the connection is opened by beforeAll')
    return opened
  }
}

/** For one test alone; the caller closes it. */
export async function openConnection(way: Way, setup: ConnectionSetup): Promise<Connection & { said(): string; close(): Promise<void> }> {
  const sandbox = createSandbox()
  const entries = setup.servers(sandbox)
  return way === 'direct' ? openDirect(sandbox, entries, setup) : openThroughGateway(way, sandbox, entries, setup)
}

async function openDirect(sandbox: Sandbox, entries: ServerEntries, setup: ConnectionSetup): ReturnType<typeof openConnection> {
  const clients = new Map<string, Client>()
  let said = ''
  for (const [server, { command, args, env }] of Object.entries(entries)) {
    const client = setup.client(server, sandbox)
    const transport = new StdioClientTransport({
      command,
      args: [...args],
      cwd: sandbox.root,
      stderr: 'pipe',
      ...(env && { env: { ...env } }),
    })
    transport.stderr?.on('data', (chunk: Buffer) => {
      said += chunk
    })
    await client.connect(transport)
    clients.set(server, client)
  }
  return {
    sandbox,
    link(server) {
      const client = clients.get(server)
      if (client === undefined) throw new Error(`no server ${server}`)
      return { client, named: name => name }
    },
    said: () => said,
    async close() {
      for (const client of clients.values()) await client.close()
      sandbox.remove()
    },
  }
}

async function openThroughGateway(
  way: Way,
  sandbox: Sandbox,
  entries: ServerEntries,
  setup: ConnectionSetup,
): ReturnType<typeof openConnection> {
  const stdio = way === 'gateway over stdio'
  const gateway = await startGateway({ dir: join(sandbox.root, 'gateway'), stdio, mcpJson: entries, args: ARGS })
  const client = setup.client('', sandbox)
  try {
    await gateway.connect(client)
  } catch (error) {
    await gateway.stop()
    throw error
  }
  return {
    sandbox,
    link: server => ({ client, named: name => `${server}__${name}` }),
    said: gateway.stderr,
    async close() {
      await client.close()
      await gateway.stop()
      sandbox.remove()
    },
  }
}
