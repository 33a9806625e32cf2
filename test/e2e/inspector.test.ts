// The official inspector's command line against the gateway, over stdio and HTTP, in each era: lists every tool, calls the tools of each server.
// It needs Node 22.19: MCPGW_NODE24 names one where the tests themselves run on an older. MCPGW_CHAOS=full calls every tool.
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLI, type Gateway, gatewayIsBuilt, startGateway } from './gateway.ts'
import { allServers, createSandbox, realServers, type Sandbox } from './servers.ts'
import { TOOL_CASES, type ToolCase } from './tool-cases.ts'

const PACKAGE = process.env.MCPGW_INSPECTOR ?? fileURLToPath(new URL('../../node_modules/@modelcontextprotocol/inspector', import.meta.url))
const INSPECTOR = join(PACKAGE, 'clients/launcher/build/index.js')
const PLUGINS = ['--plugin', 'audit', '--plugin', 'redact']

const node = isNewEnough(process.versions.node) ? process.execPath : process.env.MCPGW_NODE24
const canRun = gatewayIsBuilt && node !== undefined && existsSync(node) && existsSync(INSPECTOR)

const APP = 'ui://system-monitor/mcp-app.html'
const IN_EACH_ERA = [
  ['everything__get-sum', { a: 2, b: 40 }, 'The sum of 2 and 40 is 42'],
  ['git__git_wrapup_instructions', { acknowledgement: 'Y' }, 'content'],
  ['time__days_in_month', { date: '2028-02-01' }, '29'],
  ['monitor__get-system-info', {}, 'hostname'],
] as const

interface Tools {
  readonly tools: readonly { readonly name: string }[]
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}

/** What `result` of its one JSON document holds. */
function inspect(target: readonly string[], cwd: string, options: readonly string[]): Promise<unknown> {
  const child = spawn(node ?? '', [INSPECTOR, '--cli', ...options, '--format', 'json', '--quiet', ...target], {
    cwd,
    // Its catalog and its stored logins are looked for in the home folder.
    env: { PATH: process.env.PATH, HOME: cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk
  })
  return new Promise((resolve, reject) =>
    child.once('close', code => {
      if (code === 0) resolve((JSON.parse(out) as { result: unknown }).result)
      else reject(new Error(`the inspector ended with ${code}:\n${out}${err}`))
    }),
  )
}

/** Each call is a session of its own: of calls that build on each other within one, only the first makes sense. */
function isCalled(one: ToolCase): boolean {
  const isLong = process.env.MCPGW_CHAOS === 'full'
  return TOOL_CASES.find(first => first.server === one.server && (!isLong || first.tool === one.tool)) === one
}

for (const way of ['http', 'stdio'] as const) {
  describe.skipIf(!canRun)(`the inspector's command line over ${way}`, () => {
    let sandbox: Sandbox
    let gateway: Gateway | undefined
    let target: readonly string[]
    // Over stdio each command starts a gateway and all its servers.
    const serversIn = way === 'http' ? allServers : realServers
    beforeAll(async () => {
      sandbox = createSandbox()
      if (way === 'http') {
        gateway = await startGateway({ dir: sandbox.root, stdio: false, mcpJson: serversIn(sandbox), args: PLUGINS })
        target = ['--transport', 'http', '--server-url', gateway.url]
      } else {
        writeFileSync(join(sandbox.root, 'mcp.json'), JSON.stringify({ mcpServers: serversIn(sandbox) }))
        target = ['--', process.execPath, CLI, 'run', '--stdio', '--mcp-json', 'mcp.json', ...PLUGINS]
      }
    })
    afterAll(async () => {
      await gateway?.stop()
      sandbox?.remove()
    })

    test('lists every tool of every server, as each server alone shows it to the inspector', async () => {
      const list = ['--method', 'tools/list']
      const direct = Object.entries(serversIn(sandbox)).map(async ([server, { command, args, env = {} }]) => {
        const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
        const shown = await inspect(['--', command, ...args], sandbox.root, [...list, ...variables])
        return (shown as Tools).tools.map(tool => `${server}__${tool.name}`)
      })
      const expected = (await Promise.all(direct)).flat()
      expect(expected.length).toBeGreaterThanOrEqual(way === 'http' ? 73 : 37)
      const { tools } = (await inspect(target, sandbox.root, list)) as Tools
      expect(tools.map(tool => tool.name).sort()).toEqual(expected.sort())
    })

    test.each(['legacy', 'auto', 'modern'])(
      'lists and calls in the era %s',
      async era => {
        const options = ['--protocol-era', era, '--method']
        const { tools } = (await inspect(target, sandbox.root, [...options, 'tools/list'])) as Tools
        expect(tools.length).toBeGreaterThanOrEqual(way === 'http' ? 73 : 37)
        const calls = way === 'http' ? IN_EACH_ERA : IN_EACH_ERA.slice(0, 1)
        for (const [tool, args, shows] of calls) {
          const call = [...options, 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args)]
          expect(JSON.stringify(await inspect(target, sandbox.root, call))).toContain(shows)
        }
        if (way === 'stdio') return
        const read = await inspect(target, sandbox.root, [...options, 'resources/read', '--uri', APP])
        expect(JSON.stringify(read)).toContain('text/html;profile=mcp-app')
      },
      60_000,
    )

    test.each(TOOL_CASES.filter(isCalled).map((one, index) => ({ ...one, index })))('calls $tool of $server ($index)', async one => {
      const args = JSON.stringify(one.arguments(sandbox))
      const options = ['--method', 'tools/call', '--tool-name', `${one.server}__${one.tool}`, '--tool-args-json', args]
      expect(JSON.stringify(await inspect(target, sandbox.root, options))).toMatch(one.shows)
    })
  })
}
