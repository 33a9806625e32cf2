// The first minutes with the built product: a client's servers imported, the client pointed at the gateway, and what it then starts works from anywhere.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli } from './product.ts'
import { readRecords, type ShownRecord } from './records.ts'

const NOTES = fileURLToPath(new URL('../../dist/core/demo/notes.js', import.meta.url))
const CLAUDE = '.config/Claude/claude_desktop_config.json'

interface Entry {
  readonly command: string
  readonly args: readonly string[]
}

/** As Claude Desktop does it: in a folder of its own, with next to nothing in the environment. */
async function startAsClient({ command, args }: Entry): Promise<Client> {
  const client = new Client({ name: 'desktop', version: '1' })
  await client.connect(new StdioClientTransport({ command, args: [...args], cwd: '/', env: { PATH: '' }, stderr: 'ignore' }))
  return client
}

const entryIn = (file: string): Entry => (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: Record<string, Entry> }).mcpServers.mcpgw!

describe.skipIf(!isBuilt)('the first minutes', () => {
  test('import, connect, and a call: it is let through, and on record is what the policy would have said', {
    timeout: 60_000,
  }, async () => {
    const dir = createFolder()
    const file = join(dir, CLAUDE)
    mkdirSync(dirname(file), { recursive: true })
    const before = JSON.stringify({ mcpServers: { notes: { command: process.execPath, args: [NOTES], env: { NOTES_TOKEN: 't-4711' } } } })
    writeFileSync(file, before)
    const env = { HOME: dir }
    expect(runCli(['import', '--yes'], dir, env)).toMatchObject({ code: 0 })
    expect(statSync(join(dir, '.mcpgw/secrets/notes-notes-token')).mode & 0o777).toBe(0o600)
    expect(runCli(['doctor'], dir, env).out).toContain('ok    server notes')

    expect(runCli(['connect', 'claude', '--only'], dir, env)).toMatchObject({ code: 0 })
    const entry = entryIn(file)
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: object }).mcpServers)).toEqual(['mcpgw'])
    expect([entry.command, entry.args[0], entry.args.at(-1)].filter(word => !isAbsolute(word ?? ''))).toEqual([])
    expect(entry.command).toBe(process.execPath)

    const client = await startAsClient(entry)
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('notes__delete_note')
    const called = await client.callTool({ name: 'notes__delete_note', arguments: { uri: 'note://welcome' } })
    expect(called.content).toEqual([{ type: 'text', text: 'Deleted note://welcome.' }])
    await client.close()
    const decided = (readRecords(dir) as readonly (ShownRecord & { decision?: { policy?: object } })[]).find(one => one.decision?.policy)
    expect(decided?.decision?.policy).toMatchObject({
      would: 'deny',
      rules: [{ rule: 'no-deleting', at: expect.stringMatching(/^main\.policy:\d+$/) }],
    })

    expect(runCli(['connect', 'claude', '--undo'], dir, env)).toMatchObject({ code: 0 })
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(existsSync(`${file}.before-mcpgw`)).toBe(false)
  })

  test('without any config a client reaches the demo servers, whose data lie where it was connected', { timeout: 60_000 }, async () => {
    const dir = createFolder()
    expect(runCli(['connect', 'claude'], dir, { HOME: dir })).toMatchObject({ code: 0 })
    const client = await startAsClient(entryIn(join(dir, CLAUDE)))
    const denied = await client.callTool({ name: 'notes__delete_note', arguments: { uri: 'note://welcome' } })
    expect(denied).toMatchObject({ isError: true, content: [{ type: 'text', text: 'Only what was added here may be deleted' }] })
    await client.close()
    expect(readRecords(dir).some(({ type, tool }) => type === 'refusal' && tool === 'delete_note')).toBe(true)
  })
})
