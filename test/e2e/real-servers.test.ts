// Seven published servers behind one gateway, and both official SDKs' clients, in every mode of theirs, before it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI, type Gateway, gatewayIsBuilt, startGateway } from './gateway.ts'
import { type OfficialClient, officialClients } from './official-clients.ts'
import { allServers, createSandbox, type Sandbox } from './servers.ts'

const TOOLS = { everything: 17, filesystem: 14, memory: 9, thinking: 1, git: 28, time: 6, monitor: 2 }
const APP = 'ui://system-monitor/mcp-app.html'
const PAGE = fileURLToPath(new URL('../../node_modules/@modelcontextprotocol/server-system-monitor/dist/mcp-app.html', import.meta.url))

const ways = ['http', 'stdio'] as const
const names = Object.keys(officialClients) as (keyof typeof officialClients)[]
const cases = names.flatMap(name => ways.map(way => ({ name, way })))

describe.skipIf(!gatewayIsBuilt)('in front of seven published servers', () => {
  let sandbox: Sandbox
  let gateway: Gateway
  let roots: string

  beforeAll(async () => {
    sandbox = createSandbox()
    // Other than the folder in the command line of the server.
    roots = join(sandbox.root, 'roots')
    mkdirSync(roots)
    writeFileSync(join(roots, 'mine.txt'), 'of the root')
    gateway = await startGateway({ dir: join(sandbox.root, 'gateway'), stdio: false, mcpJson: allServers(sandbox) })
  })
  afterAll(async () => {
    await gateway?.stop()
    sandbox?.remove()
  })

  describe.each(cases)('$name over $way', ({ name, way }) => {
    let client: OfficialClient
    beforeAll(async () => {
      const dir = join(sandbox.root, 'gateway')
      const args = [CLI, 'run', '--stdio', '--mcp-json', join(dir, 'mcp.json')]
      const target = way === 'http' ? { url: gateway.url } : { command: process.execPath, args, cwd: dir }
      client = await officialClients[name](target, pathToFileURL(roots).href)
    })
    afterAll(() => client?.close())

    const call = async (tool: string, args: Record<string, unknown> = {}) =>
      JSON.stringify(await client.callTool({ name: tool, arguments: args }))

    test('lists everything', async () => {
      const { tools } = await client.listTools()
      const counts = Object.fromEntries(
        Object.keys(TOOLS).map(server => [server, tools.filter(tool => tool.name.startsWith(`${server}__`)).length]),
      )
      expect(counts).toEqual(TOOLS)
      const { resources } = await client.listResources()
      expect(resources.map(({ uri }) => uri)).toEqual(
        expect.arrayContaining([APP, 'git://working-directory', 'demo://resource/static/document/architecture.md']),
      )
      const { resourceTemplates } = await client.listResourceTemplates()
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain('demo://resource/dynamic/text/{resourceId}')
      const { prompts } = await client.listPrompts()
      expect(prompts.map(prompt => prompt.name)).toEqual(expect.arrayContaining(['everything__simple-prompt', 'git__git_wrapup']))
    })

    test('calls a tool of each', async () => {
      const repo = join(sandbox.root, 'repositories', `${name}-${way}`.replaceAll(/\W+/g, '-'))
      mkdirSync(repo, { recursive: true })
      expect(await call('everything__get-sum', { a: 2, b: 40 })).toContain('The sum of 2 and 40 is 42')
      expect(await call('memory__read_graph')).toContain('"structuredContent":{"entities":[')
      const thought = { thought: 'start', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }
      expect(await call('thinking__sequentialthinking', thought)).toContain('"totalThoughts":1')
      expect(await call('git__git_init', { path: repo, initialBranch: 'trunk' })).toContain('trunk')
      expect(readFileSync(join(repo, '.git/HEAD'), 'utf8')).toBe('ref: refs/heads/trunk\n')
      const noon = { sourceTimezone: 'Asia/Tokyo', targetTimezone: 'UTC', time: '2026-01-01 12:00:00' }
      expect(await call('time__convert_time', noon)).toContain('2026-01-01 03:00:00')
      expect(await call('monitor__get-system-info')).toContain('"structuredContent":{"hostname":')
    })

    test('reads a resource, a prompt, and the page of an app as it is', async () => {
      const uri = 'demo://resource/dynamic/text/3'
      expect((await client.readResource({ uri })).contents).toMatchObject([{ uri, text: expect.stringMatching(/^Resource 3: /) }])
      expect((await client.getPrompt({ name: 'everything__simple-prompt' })).messages).toHaveLength(1)
      const { contents } = await client.readResource({ uri: APP })
      expect(contents).toMatchObject([{ uri: APP, mimeType: 'text/html;profile=mcp-app', text: readFileSync(PAGE, 'utf8') }])
    })

    test('gives its roots to the file server, instead of its own folders', async () => {
      const allowed = await call('filesystem__list_allowed_directories')
      expect(allowed).toContain(roots)
      expect(allowed).not.toContain(sandbox.files)
      expect(await call('filesystem__read_text_file', { path: join(roots, 'mine.txt') })).toContain('of the root')
      expect(await call('filesystem__read_text_file', { path: join(sandbox.files, 'notes.txt') })).toContain('"isError":true')
    })

    test('is asked for a sample, and to fill in a form', async () => {
      expect(await call('everything__trigger-sampling-request', { prompt: 'how many?', maxTokens: 7 })).toContain('forty-two')
      expect(await call('everything__trigger-elicitation-request')).toContain('Name: Ada')
    })

    test('hears of the progress of a long call, and cancels another', async () => {
      const long = { name: 'everything__trigger-long-running-operation' }
      const seen: number[] = []
      const onprogress = ({ progress, message }: { progress: number; message?: string }): void => {
        // SDK 2 counts the rounds of a call as progress too.
        if (!message?.startsWith('Fulfilling')) seen.push(progress)
      }
      const done = await client.callTool({ ...long, arguments: { duration: 0.3, steps: 3 } }, { onprogress })
      expect(JSON.stringify(done)).toContain('Long running operation completed')
      // Over stdio the SDKs forget who wants to hear of the last step when it comes in one piece with the result.
      expect(way === 'stdio' ? seen.slice(0, 2) : seen).toEqual(way === 'stdio' ? [1, 2] : [1, 2, 3])

      const controller = new AbortController()
      const cancelled = client.callTool(
        { ...long, arguments: { duration: 600, steps: 6000 } },
        { signal: controller.signal, onprogress: () => controller.abort('enough') },
      )
      await expect(cancelled).rejects.toThrow(/enough|abort/i)
      expect(await call('everything__echo', { message: 'still here' })).toContain('still here')
    })

    test('hears that a resource has changed', async () => {
      const uri = 'demo://resource/dynamic/text/5'
      const unsubscribe = await client.subscribe(uri)
      expect(await call('everything__toggle-subscriber-updates')).toContain('Started')
      await client.told(() => client.updated.includes(uri))
      expect(await call('everything__toggle-subscriber-updates')).toContain('Stopped')
      await unsubscribe()
      expect(new Set(client.updated)).toEqual(new Set([uri]))
    })

    test('hears as much of the logs as it wants', async () => {
      const { setLevel } = client
      if (setLevel === undefined) {
        const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' }
        await client.callTool({ name: 'everything__toggle-simulated-logging', _meta })
        await client.told(() => client.logged.length > 0)
        const heard = client.logged.length
        await client.callTool({ name: 'everything__toggle-simulated-logging' })
        // This one wants none of them; the server logs as before.
        await client.callTool({ name: 'everything__toggle-simulated-logging' })
        await client.callTool({ name: 'everything__toggle-simulated-logging' })
        expect(client.logged).toHaveLength(heard)
        return
      }
      const [quiet, loud] = ['demo://resource/dynamic/text/8', 'demo://resource/dynamic/text/9']
      const shows = (uri: string) => client.logged.some(({ data }) => String(data).includes(uri))
      await setLevel('error')
      await (await client.subscribe(quiet))()
      await setLevel('debug')
      await (await client.subscribe(loud))()
      await client.told(() => shows(loud))
      expect(shows(quiet)).toBe(false)
    })
  })
})
