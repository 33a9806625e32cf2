// The reference server over the network, by each transport that it speaks, as an `mcpServers` JSON names it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCapableClient, defaultAnswers } from './clients.ts'
import { findFreePort, type Gateway, gatewayIsBuilt, startGateway } from './gateway.ts'
import { createSandbox, everything, type RemoteEntry } from './servers.ts'

interface Remote {
  readonly url: string
  readonly process: ChildProcess
}

async function startEverything(mode: 'sse' | 'streamableHttp', path: string): Promise<Remote> {
  const { command, args } = everything()
  const port = await findFreePort()
  const process = spawn(command, [args[0]!, mode], { env: { PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    let said = ''
    process.once('exit', () => reject(new Error(`the server has ended: ${said}`)))
    // To be read to its end: the server would fall over a pipe that nobody holds.
    process.stderr.on('data', chunk => {
      said += String(chunk)
      if (said.includes(`port ${port}`)) resolve()
    })
  })
  return { url: `http://127.0.0.1:${port}${path}`, process }
}

describe.runIf(gatewayIsBuilt).each([
  ['sse', '/sse', { type: 'sse' }],
  ['sse', '/sse', {}],
  ['streamableHttp', '/mcp', { type: 'http' }],
  ['streamableHttp', '/mcp', {}],
] as const)('the reference server by %s at %s, configured with %j', (mode, path, about: Partial<RemoteEntry>) => {
  const sandbox = createSandbox()
  let remote: Remote
  let gateway: Gateway
  let client: Client

  beforeAll(async () => {
    remote = await startEverything(mode, path)
    gateway = await startGateway({ dir: join(sandbox.root, 'gateway'), stdio: false, mcpJson: { far: { ...about, url: remote.url } } })
    client = createCapableClient(defaultAnswers([{ uri: pathToFileURL(sandbox.files).href, name: 'files' }]))
    await gateway.connect(client)
  })
  afterAll(async () => {
    await client.close()
    await gateway.stop()
    const ended = once(remote.process, 'exit')
    remote.process.kill('SIGKILL')
    await ended
    sandbox.remove()
  })

  test('lists what it lists on standard streams, and answers calls', async () => {
    const { tools } = await client.listTools()
    expect(tools.length).toBeGreaterThan(12)
    const { content } = await client.callTool({ name: 'far__echo', arguments: { message: 'hëllo' } })
    expect(content).toEqual([{ type: 'text', text: 'Echo: hëllo' }])
  })

  test('reads a resource and gets a prompt', async () => {
    const { resources } = await client.listResources()
    const { contents } = await client.readResource({ uri: resources[0]!.uri })
    expect(contents).toHaveLength(1)
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(2)
  })

  test('reports progress during a call', async () => {
    const seen: number[] = []
    await client.callTool({ name: 'far__trigger-long-running-operation', arguments: { duration: 0.2, steps: 4 } }, undefined, {
      onprogress: ({ progress }) => seen.push(progress),
    })
    expect(seen).toEqual([1, 2, 3, 4])
  })

  test('asks the client during a call', async () => {
    const { content } = await client.callTool({ name: 'far__trigger-sampling-request', arguments: { prompt: 'how many?', maxTokens: 7 } })
    expect(JSON.stringify(content)).toContain('sampled text')
  })
})
