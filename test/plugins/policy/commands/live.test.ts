// `policy check --live`: by what the servers offer now, and never clean where one of them did not say.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InspectedServer, Inspection } from 'mcpgw/plugin'
import { runCommand, type Said } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import { Json } from '../../../../core/mcp/json.ts'
import { lockText } from '../../../../plugins/policy/catalog/lock-text.ts'
import { makeLock } from '../../../../plugins/policy/catalog/make-lock.ts'
import policy from '../../../../plugins/policy/index.ts'
import { createFolder, say } from '../../../core/commands/run-command.ts'

function server(id: string, ...names: readonly string[]): InspectedServer {
  const tools = names.map(name => ({ name, definition: Json.scan(Buffer.from(JSON.stringify({ name, inputSchema: {} }))) as Json }))
  return { id, tools, resources: [], templates: [], prompts: [] }
}
function found(...servers: Inspection['servers']): Inspection {
  return { servers, dischargers: ['limit'], roles: ['support'], tenants: [] }
}

interface Finding {
  readonly code: string
  readonly severity: string
  readonly message: string
  readonly line: number
}

function check(text: string, inspection: Inspection, how: { locked?: Inspection; options?: Record<string, string> } = {}): Promise<Said> {
  const cwd = mkdtempSync(join(tmpdir(), 'mcpgw-live-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'main.policy'), `policy "p" edition 1\n${text}`)
  if (how.locked !== undefined)
    writeFileSync(join(cwd, 'mcpgw.lock.json'), lockText(makeLock(how.locked, how.locked.servers as InspectedServer[])))
  return runCommand(policy, ['policy', 'check'], {
    cwd,
    inspection,
    args: [['main.policy']],
    options: { live: true, ...how.options } as never,
  })
}
async function findings(...given: Parameters<typeof check>): Promise<readonly Finding[]> {
  const { out } = await check(given[0], given[1], { ...given[2], options: { format: 'json' } })
  const { diagnostics } = JSON.parse(out) as { diagnostics: Finding[] }
  return diagnostics.filter(({ severity }) => severity !== 'hint')
}

const read = 'allow read {\n  who     role support\n  call    crm/get_customer\n}\n'
const glob = 'allow read {\n  who     role support\n  call    crm/get_*\n}\n'

test('names are those that the servers offer now, whatever the lock says', async () => {
  const now = found(server('crm', 'find_customer'))
  const [first, ...others] = await findings(read, now, { locked: found(server('crm', 'get_customer')) })
  expect(first).toMatchObject({ code: 'unknown-tool', message: 'the live catalog has no tool `crm/get_customer`', line: 4 })
  expect(others).toEqual([])
  const clean = await check(read, found(server('crm', 'get_customer')), { locked: found(server('crm')), options: { failLevel: 'error' } })
  expect(clean.code).toBe(0)
  expect(clean.out).toContain('1 file checked against 1 running server: ')
})

test('what came since the lock under an allow is told', async () => {
  const now = found(server('crm', 'get_customer', 'get_everything'))
  const told = await findings(glob, now, { locked: found(server('crm', 'get_customer')) })
  expect(told).toMatchObject([{ code: 'tool-added', severity: 'warning', line: 4 }])
  expect(await findings(glob, now)).toEqual([])
})

test('a server that does not answer is an error at the rule that names it, and nothing is claimed of it', async () => {
  const now = found({ id: 'crm', failed: 'tools/list: it ended\nat 3' }, server('mail', 'send'))

  const told = await findings(`${read}deny all {\n  call    */delete_*\n  because "Nothing is deleted"\n}\n`, now)
  expect(told).toMatchObject([
    { code: 'server-unreached', severity: 'error', message: '`crm` does not say what it offers: tools/list: it ended', line: 4 },
  ])
})

test('a server that does not answer hides nothing of what is found of the others', async () => {
  const now = found(server('crm', 'get_customer', 'get_everything'), { id: 'mail', failed: 'it ended' })
  const told = await findings(`${glob}deny drop {\n  call    crm/get_everything\n}\n`, now, {
    locked: found(server('crm', 'get_customer')),
  })
  expect(told.map(({ code }) => code)).toEqual(['server-unreached', 'tool-added', 'deny-without-because'])
})

test('a server that no rule names is told all the same', async () => {
  const now = found(server('crm', 'get_customer'), { id: 'mail', failed: 'it ended' })
  expect(await findings(read, now)).toMatchObject([{ code: 'server-unreached', line: 1 }])
})

test('the servers of the config are started and asked; without a config that loads it is exit 2', { timeout: 60_000 }, async () => {
  const dir = createFolder({
    'main.policy': `policy "p" edition 1\n${read}`,
    'mcpgw.yaml': JSON.stringify({
      servers: [{ id: 'crm', command: process.execPath, args: ['-e', 'process.exit(1)'] }],
      plugins: ['policy'],
    }),
    'broken.yaml': 'serverz: []\n',
  })
  const asked = await say(dir, ['policy', 'check', '--live', 'main.policy'])
  expect(asked.code).toBe(1)
  expect(asked.out).toContain('error[server-unreached]: `crm` does not say what it offers')
  const broken = await say(dir, ['policy', 'check', '--live', 'main.policy', '-c', 'broken.yaml'])
  expect([broken.code, broken.out]).toEqual([2, ''])
  expect(broken.err.match(/serverz/g)?.length).toBeLessThan(4)
})
