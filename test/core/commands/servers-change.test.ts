// Servers are registered, changed, listed and removed from the command line, each on record; what does not fit is said with its field, and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readBlocks } from '../../docs/blocks.ts'
import { createFolder, say } from './run-command.ts'

const CRM = 'https://crm.tools.example'
const folder = (registration: object | undefined = { secrets: { crm: [CRM] } }, plugins: unknown[] = []): string => {
  const dir = createFolder({
    'mcpgw.yaml': JSON.stringify({
      servers: [{ id: 'fixed', command: 'node' }],
      plugins,
      secrets: { command: ['echo'] },
      ...(registration && { registration }),
    }),
  })
  return dir
}
interface Row {
  readonly id: string
  readonly origin: string | { readonly by: string; readonly at: string }
}
const list = async (dir: string, ...words: string[]): Promise<Row[]> =>
  (JSON.parse((await say(dir, ['servers', 'list', '--json', ...words])).out) as { servers: Row[] }).servers
const typesIn = async (dir: string): Promise<string[]> =>
  (JSON.parse((await say(dir, ['audit', 'log', '--json'])).out) as { records: { type: string }[] }).records
    .map(({ type }) => type)
    .filter(type => type.startsWith('server.'))

describe('servers add, update and remove', () => {
  test('change what is given, and servers list says who registered what and when', async () => {
    const dir = folder()
    const header = ['--header', 'Authorization: Bearer ${secret:crm}']
    expect(
      await say(dir, ['servers', 'add', 'crm', '--url', `${CRM}/mcp`, ...header, '--tag', 'a', '--tag', 'b', '--owner', 'team']),
    ).toMatchObject({
      code: 0,
      out: '',
      err: 'server crm is registered. Gateways that run serve it within a second.\n',
    })
    const [fixed, crm] = await list(dir)
    expect(fixed).toMatchObject({ id: 'fixed', origin: 'config' })
    expect(crm).toMatchObject({ id: 'crm', target: `${CRM}/mcp`, owner: 'team', tags: ['a', 'b'] })
    expect(crm!.origin).toMatchObject({ by: expect.stringMatching(/^cli:/) as string, at: expect.stringMatching(/^\d{4}-/) as string })
    expect((await say(dir, ['servers', 'list'])).out).toMatch(/\n\* crm .*a, b +registered by cli:\S+ at \d{4}-\S+Z\n$/)

    expect((await say(dir, ['servers', 'update', 'crm', '--tag', 'c', '--description', 'Customers'])).code).toBe(0)
    expect((await list(dir, '--tag', 'c'))[0]).toMatchObject({ id: 'crm', description: 'Customers', owner: 'team', tags: ['c'] })
    writeFileSync(join(dir, 'crm.yaml'), `url: ${CRM}/v2\ntools:\n  - {name: read, method: GET, path: /x}\n`)
    expect((await say(dir, ['servers', 'update', 'crm', '--from', 'crm.yaml', '--json'])).out).toBe('{\n  "updated": "crm"\n}\n')
    const [, whole] = await list(dir)
    expect(whole).toMatchObject({ id: 'crm', kind: 'rest', target: `${CRM}/v2` })
    expect(whole).not.toHaveProperty('owner')
    expect((await say(dir, ['servers', 'remove', 'crm'])).code).toBe(0)
    expect((await list(dir)).map(({ id }) => id)).toEqual(['fixed'])
  })

  test('name servers that `kill` knows', async () => {
    const dir = folder()
    await say(dir, ['servers', 'add', 'crm', '--url', `${CRM}/mcp`])
    const warningOf = async (...words: string[]): Promise<string> => (await say(dir, ['kill', ...words])).err.split('\n')[1] ?? ''
    expect(await warningOf('--server', 'crm')).toBe('')
    expect(await warningOf('--server', 'fixed')).toBe('')
    expect(await warningOf('--server', 'crn')).toBe('warning: there is no server crn')
    expect(await warningOf('--server', 'crm', '--version', '2')).toBe('warning: there is no version crm@2')
  })

  test('say with its field what does not fit, and change nothing', async () => {
    const dir = folder()
    for (const [words, code, err] of [
      [
        ['add', 'crm', '--url', 'https://evil.example', '--header', 'X-A: ${secret:crm}'],
        2,
        'error[invalid-arguments]: headers.X-A: `registration.secrets`',
      ],
      [['add', 'crm', '--url', CRM, '--header', 'no header'], 2, 'error[usage]: expected --header "NAME: VALUE"'],
      [['add', 'crm', '--url', CRM, '--tenant', 'acme'], 2, 'error[invalid-arguments]: tenants: lets in nobody'],
      [['add', 'crm'], 2, 'missing "command" or "url"'],
      [['add', 'fixed', '--url', CRM], 3, 'error[conflict]: id: the server "fixed" stands in the config'],
      [['update', 'fixed', '--url', CRM], 3, 'error[conflict]: server: the server "fixed" stands in the config'],
      [['remove', 'nobody'], 3, 'error[not-found]: server: no such server was registered'],
      [['add', 'crm', '--from', 'mcpgw.yaml'], 2, 'error[invalid-arguments]: servers: unknown key "servers"'],
    ] as const)
      expect(await say(dir, ['servers', ...words])).toMatchObject({ code, err: expect.stringContaining(err) as string })
    expect((await list(dir)).map(({ id }) => id)).toEqual(['fixed'])
  })

  test('work as the README says, with its config', async () => {
    const blocks = readBlocks(readFileSync('README.md', 'utf8'))
    const config = blocks.find(({ language, text }) => language === 'yaml' && text.startsWith('registration:'))!
    const commands = blocks.find(({ marks }) => marks.includes('run by test/core/commands/servers-change.test.ts'))!
    const dir = createFolder({ 'mcpgw.yaml': `${config.text}\nsecrets: { command: [echo] }\n` })
    for (const line of commands.text.trim().split('\n')) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
      expect(await say(dir, words.slice(1)), line).toMatchObject({ code: 0 })
    }
    expect(commands.text).toContain('servers remove')
    expect(await list(dir)).toEqual([])
  })

  test('are refused where the config has no registration', async () => {
    const dir = folder(undefined)
    writeFileSync(join(dir, 'mcpgw.yaml'), 'servers: []\n')
    expect(await say(dir, ['servers', 'add', 'crm', '--url', CRM])).toMatchObject({
      code: 2,
      err: expect.stringContaining('error[registration]') as string,
    })
  })

  test('are on record, where the config has a recorder', async () => {
    const dir = folder({}, ['audit'])
    for (const words of [
      ['add', 'crm', '--url', CRM],
      ['remove', 'crm'],
    ])
      expect((await say(dir, ['servers', ...words])).code).toBe(0)
    expect(await typesIn(dir)).toEqual(['server.register', 'server.remove'])
  })

  test('do nothing that cannot be recorded', async () => {
    const dir = folder({}, [{ audit: { path: 'nowhere\u0000' } }])
    expect(await say(dir, ['servers', 'add', 'crm', '--url', CRM])).toMatchObject({
      code: 3,
      err: expect.stringContaining('error[not-recorded]') as string,
    })
    writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify({ registration: {} }))
    expect(await list(dir)).toEqual([])
  })

  test('a store that cannot be read is told', async () => {
    const dir = folder()
    expect((await say(dir, ['servers', 'add', 'crm', '--url', CRM])).code).toBe(0)
    writeFileSync(join(dir, '.mcpgw', 'servers.db'), 'no database '.repeat(500))
    for (const words of [['list'], ['remove', 'crm']])
      expect(await say(dir, ['servers', ...words])).toMatchObject({
        code: 3,
        err: expect.stringContaining('error[registration-store]') as string,
      })
  })
})
