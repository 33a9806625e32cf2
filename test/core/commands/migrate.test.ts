// `mcpgw migrate`: one verb for whatever plugins keep in a database; each schema is brought up whole or left as it was.
import { beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, createRole, run, server, withParts } from '../../postgres/server.ts'
import { createFolder, say } from './run-command.ts'

const PLUGINS = 'plugins: [audit, auth, meter, {stripe: {dryRun: true, meters: [{event: tool_calls}]}}, ./notes.js]'
const steps = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, i) =>
      i === 0
        ? 'CREATE SCHEMA notes; CREATE TABLE notes.schema_version (version integer); INSERT INTO notes.schema_version VALUES (1)'
        : `CREATE TABLE notes.t${i} (x integer); INSERT INTO notes.schema_version VALUES (${i + 1})`,
    ),
  )
const notes = (list: string): string => `export default {
  name: 'notes', apiVersion: 1, capabilities: [], setup: () => ({}), tables: { schema: 'notes', steps: ${list} },
  config: { '~standard': { version: 1, vendor: 'notes', validate: value => ({ value }) } },
}
`
const createProject = (url?: string, list = steps(1)): string =>
  createFolder({
    'notes.js': notes(list),
    'package.json': '{"type":"module"}',
    'mcpgw.yaml': `servers: []\n${PLUGINS}\n${url === undefined ? '' : `store: {url: "${url}"}\n`}`,
  })

describe.skipIf(server === undefined)('with a database', () => {
  let url: string
  beforeEach(async () => {
    url = await createDatabase()
  })
  const schemas = async (): Promise<unknown[]> => {
    const rows = await run("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(mcpgw|notes)' ORDER BY 1", url)
    return rows.map(row => row.nspname)
  }

  test('makes what is missing, brings up what is older, and leaves what is not', async () => {
    const made = await say(createProject(url), ['migrate'])
    expect(made).toMatchObject({ code: 0, err: expect.stringMatching(/^\nin postgres:\/\/\S+\n$/) as string })
    expect(made.out).toBe(
      [
        'audit: tables brought from version 0 to 4 (schema mcpgw_audit)',
        'auth: tables brought from version 0 to 4 (schema mcpgw_auth)',
        'meter: tables brought from version 0 to 2 (schema mcpgw_usage)',
        'stripe: tables brought from version 0 to 2 (schema mcpgw_stripe)',
        'notes: tables brought from version 0 to 1 (schema notes)',
        'kill: tables brought from version 0 to 2 (schema mcpgw_kill)\n',
      ].join('\n'),
    )
    expect(await schemas()).toEqual(['mcpgw_audit', 'mcpgw_auth', 'mcpgw_kill', 'mcpgw_stripe', 'mcpgw_usage', 'notes'])
    const again = await say(createProject(url, steps(3)), ['migrate', '--json'])
    expect(again).toMatchObject({ code: 0, err: '' })
    const { plugins, dryRun } = JSON.parse(again.out) as { plugins: { plugin: string; from: number; to: number }[]; dryRun: boolean }
    expect(dryRun).toBe(false)
    expect(plugins.map(({ plugin, from, to }) => [plugin, from, to])).toEqual([
      ['audit', 4, 4],
      ['auth', 4, 4],
      ['meter', 2, 2],
      ['stripe', 2, 2],
      ['notes', 1, 3],
      ['kill', 2, 2],
    ])
  })

  test('a dry run says the same, changes nothing, and needs no more than a role that may connect', async () => {
    const role = await createRole(url)
    const project = createProject(withParts(url, { user: role, password: `password-of-${role}` }))
    const told = await say(project, ['migrate', '--dry-run'])
    expect(told).toMatchObject({ code: 0 })
    expect(told.out).toContain('audit: tables would be brought from version 0 to 4 (schema mcpgw_audit)\n')
    expect(await schemas()).toEqual([])
    expect(await say(project, ['migrate'])).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining('the owner of the database makes them') as string,
    })
    expect(await schemas()).toEqual([])
  })

  test('only those that are named, where some are', async () => {
    const project = createProject(url)
    const { code, out } = await say(project, ['migrate', 'meter', 'notes'])
    expect({ code, lines: out.split('\n').map(line => line.split(':')[0]) }).toEqual({ code: 0, lines: ['meter', 'notes', ''] })
    expect(await schemas()).toEqual(['mcpgw_usage', 'notes'])
    for (const name of ['redact', 'policy', 'mteer'])
      expect(await say(project, ['migrate', name])).toEqual({
        code: 2,
        out: '',
        err: `error[migrate]: the config names no plugin "${name}" that keeps tables in a database\n`,
      })
  })

  test('where one fails the others are brought up all the same, and the exit code is 3', async () => {
    const failing = JSON.stringify([...(JSON.parse(steps(1)) as string[]), 'CREATE TABLE notes.t (x integer); SELECT 1 / 0'])
    await run('CREATE SCHEMA mcpgw_audit; CREATE TABLE mcpgw_audit.schema_version (version integer)', url)
    await run('INSERT INTO mcpgw_audit.schema_version VALUES (99)', url)
    const { code, out, err } = await say(createProject(url, failing), ['migrate'])
    expect(code).toBe(3)
    expect(out).toMatch(/^auth: .*\nmeter: .*\nstripe: .*\nkill: .*\n$/)
    expect(err).toContain('error[migrate]: audit: ')
    expect(err).toContain('tables 99, this one knows 4')
    expect(err).toContain('error[migrate]: notes: division by zero')
    expect(await schemas()).toEqual(['mcpgw_audit', 'mcpgw_auth', 'mcpgw_kill', 'mcpgw_stripe', 'mcpgw_usage'])
    const { plugins } = JSON.parse((await say(createProject(url, failing), ['migrate', '--json'])).out) as { plugins: { error?: string }[] }
    expect(plugins.map(({ error }) => error === undefined)).toEqual([false, true, true, true, false, true])
  })

  test('the SQL that it prints makes the same tables', async () => {
    const { code, out } = await say(createProject(), ['migrate', '--sql'])
    expect(code).toBe(0)
    await run(out, url)
    const again = await say(createProject(url), ['migrate'])
    expect(again.out.match(/already/g)).toHaveLength(6)
  })
})

test('prints the SQL without a database, of the plugins of the config or of the starter', async () => {
  const printed = await say(createFolder(), ['migrate', '--sql'])
  expect(printed).toMatchObject({ code: 0, err: '' })
  expect(printed.out).toMatch(/^-- audit: schema mcpgw_audit\nBEGIN;\n.*CREATE TABLE mcpgw_audit\.record .*\nCOMMIT;\n$/s)
  const { plugins } = JSON.parse((await say(createProject(), ['migrate', 'notes', '--sql', '--json'])).out) as { plugins: unknown }
  expect(plugins).toEqual([{ plugin: 'notes', schema: 'notes', steps: JSON.parse(steps(1)) }])
})

test('a config without a database, and one whose plugin does not load, are told with 2', async () => {
  expect(await say(createProject(), ['migrate'])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('store.url') as string })
  const broken = createProject('postgres://127.0.0.1:1/none', '[1]')
  expect(await say(broken, ['migrate'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('tables must have a schema, and steps as texts or as the URL of a folder') as string,
  })
})

test('a database that does not answer is told for each, with 3, without the password', async () => {
  const { code, out, err } = await say(createProject('postgres://me:geheim@127.0.0.1:1/none'), ['migrate'])
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err.match(/error\[migrate\]/g)).toHaveLength(6)
  expect(err).not.toContain('geheim')
})
