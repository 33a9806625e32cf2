// Published servers: their catalogs can be locked, the lock is read back, and every schema of theirs can be used to validate arguments.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InspectedServer } from 'mcpgw/plugin'
import { readLock } from 'mcpgw/policy'
import { expect, test } from 'vitest'
import { inspect } from '../../../core/commands/inspect.ts'
import { loadFor } from '../../../core/commands/load-for.ts'
import type { VerbIo } from '../../../core/commands/verb.ts'
import { Json } from '../../../core/mcp/json.ts'
import { validateArguments } from '../../../plugins/policy/arguments/validate.ts'
import { lockText } from '../../../plugins/policy/catalog/lock-text.ts'
import { makeLock } from '../../../plugins/policy/catalog/make-lock.ts'
import { createFolder } from '../../core/commands/run-command.ts'
import { root } from '../../packed-project.ts'

const packages = ['everything', 'filesystem', 'memory', 'sequential-thinking'].map(name => `@modelcontextprotocol/server-${name}`)

function binOf(name: string): string {
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: string | Record<string, string> }
  return join(folder, typeof bin === 'string' ? bin : Object.values(bin)[0]!)
}

test('of each published server every tool is locked, and its schema refuses what it should, never because of itself', {
  timeout: 120_000,
}, async () => {
  const dir = createFolder()
  const servers = packages.map((name, i) => ({
    id: `s${i}`,
    command: process.execPath,
    args: [binOf(name), ...(name.endsWith('filesystem') ? [dir] : [])],
  }))
  const config = createFolder({ 'mcpgw.yaml': JSON.stringify({ servers, plugins: [] }) })
  const io: Omit<VerbIo, 'args'> = {
    options: {},
    json: false,
    version: '1.2.3',
    env: { PATH: process.env.PATH ?? '' },
    cwd: config,
    signal: new AbortController().signal,
    color: { out: false, err: false },
    interactive: false,
    out() {},
    err() {},
  }
  const loaded = await loadFor(io)
  if (loaded === 2) throw new Error('the config does not load')
  const found = await inspect(io, loaded)
  if ('failed' in found) throw new Error(found.failed)
  const asked = found.servers.filter((one): one is InspectedServer => !('failed' in one))
  expect(asked).toHaveLength(packages.length)
  const text = lockText(makeLock(found, asked))
  const { lock, diagnostics } = readLock(text, 'mcpgw.lock.json')
  expect(diagnostics).toEqual([])
  expect(lockText(lock!)).toBe(text)
  const tools = asked.flatMap(server => server.tools)
  expect(tools.length).toBeGreaterThan(25)
  const wrong = Json.of({ path: { no: 'text' }, query: 7, thought: [], message: 1, a: 'x' })
  const said = tools.map(({ definition }) => [validateArguments(definition, Json.of({})), validateArguments(definition, wrong)])
  expect(said.flat().filter(one => one?.about === 'schema')).toEqual([])
  expect(said.flat().filter(one => one?.about === 'arguments').length).toBeGreaterThan(tools.length)
})
