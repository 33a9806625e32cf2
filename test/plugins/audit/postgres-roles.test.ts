// The log in PostgreSQL, as its owner and its auditors meet it: what the roles of the README may, and the versions of the tables.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AdminEvent } from 'mcpgw/plugin'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFolder, say } from '../../core/commands/run-command.ts'
import { createDatabase, createRole, run, server, withParts } from '../../postgres/server.ts'
import { call, createExchange, type Gateway, type GatewayOptions, recordIn, runCommand, startGateway, tempDir } from './gateway.ts'

const page = readFileSync(join(import.meta.dirname, '../../../plugins/audit/README.md'), 'utf8')

describe.skipIf(server === undefined)('a log in PostgreSQL', () => {
  let url: string
  let dir: string
  beforeAll(async () => {
    url = await createDatabase()
  })
  beforeEach(async () => {
    await run('DROP SCHEMA IF EXISTS mcpgw_audit, mcpgw_kill CASCADE', url)
    dir = tempDir()
  })
  const start = (options: GatewayOptions = {}): Promise<Gateway> => startGateway({ dir, url, config: { durability: 'full' }, ...options })
  const rows = (): Promise<Record<string, unknown>[]> => run('SELECT * FROM mcpgw_audit.record ORDER BY stream, seq', url)

  test('tables of a newer version stop the start and every command, and the message says what to do', async () => {
    await (await start()).stop()
    await run('INSERT INTO mcpgw_audit.schema_version (version) VALUES (99)', url)
    await expect(start()).rejects.toMatchObject({ code: 'store-newer', message: expect.stringContaining('upgrade mcpgw') as string })
    for (const verb of ['audit verify', 'audit log', 'audit stats'])
      expect(await runCommand(dir, verb, {}, { url })).toMatchObject({
        code: 3,
        err: expect.stringContaining('tables 99, this one knows') as string,
      })
  })

  describe('with the roles of the README', () => {
    const names: Record<string, string> = {}
    const as = (role: string): string => withParts(url, { user: names[role]!, password: `password-of-${names[role]!}` })
    beforeEach(async () => {
      for (const role of ['mcpgw_owner', 'mcpgw_writer', 'mcpgw_auditor', 'mcpgw_retention']) names[role] = await createRole(url)
      const blocks = [...page.matchAll(/^ {0,3}```sql\n(-- As [^\n]*\n.*?)```/gms)].map(([, sql]) => sql!)
      expect(blocks).toHaveLength(2)
      const [before, grants] = blocks.map(sql =>
        sql
          .split('\n')
          .filter(line => !line.startsWith('CREATE ROLE'))
          .join('\n')
          .replaceAll(/\bmcpgw_(owner|writer|auditor|retention)\b/g, name => names[name]!)
          .replaceAll('DATABASE mcpgw', `DATABASE ${new URL(url).pathname.slice(1)}`),
      )
      await run(before!, url)
      const config = createFolder({ 'mcpgw.yaml': `servers: []\nplugins: [audit]\nstore: {url: "${as('mcpgw_owner')}"}\n` })
      expect(await say(config, ['migrate'])).toMatchObject({ code: 0 })
      await run(grants!, as('mcpgw_owner'))
    })

    test('the writer records, exports and reads, and may do nothing else', async () => {
      const config = { durability: 'full', exports: [{ file: join(dir, 'out.jsonl') }] }
      const gateway = await start({ url: as('mcpgw_writer'), config })
      expect(await call(gateway, createExchange())).toBe('ok')
      await gateway.stop()
      expect(gateway.health).toBeUndefined()
      expect(readFileSync(join(dir, 'out.jsonl'), 'utf8')).toContain('"outcome":"answered"')
      await expect(run('UPDATE mcpgw_audit.export_place SET state = state', as('mcpgw_auditor'))).rejects.toThrow('permission denied')
      for (const sql of [
        'UPDATE mcpgw_audit.record SET at = 0',
        'DELETE FROM mcpgw_audit.record',
        'TRUNCATE mcpgw_audit.record',
        'DELETE FROM mcpgw_audit.subject',
        'DELETE FROM mcpgw_audit.hold',
        "INSERT INTO mcpgw_audit.hold VALUES ('x', NULL, NULL, 'r', 0)",
        "INSERT INTO mcpgw_audit.tombstone VALUES ('x', 1, 0, '', '', '')",
        "INSERT INTO mcpgw_audit.retired VALUES ('x')",
        'ALTER TABLE mcpgw_audit.record DISABLE TRIGGER ALL',
        'DROP TABLE mcpgw_audit.record',
        'CREATE TABLE mcpgw_audit.other ()',
        'SET session_replication_role = replica',
      ])
        await expect(run(sql, as('mcpgw_writer')), sql).rejects.toThrow(/permission denied|must be owner/)
    })

    test('the auditor reads and verifies, adds the record of that, and removes nothing', async () => {
      const gateway = await start({ url: as('mcpgw_writer') })
      await call(gateway, createExchange())
      await gateway.stop()
      const how = { url: as('mcpgw_auditor'), record: recordIn({ dir, url: as('mcpgw_auditor') }) }
      expect(await runCommand(dir, 'audit log', { tenant: 'acme' }, how)).toMatchObject({ code: 0 })
      expect(await runCommand(dir, 'audit verify', {}, how)).toMatchObject({ code: 4 })
      const { out } = await runCommand(dir, 'audit log', { all: true, json: true }, how)
      const { records } = JSON.parse(out) as { records: { type: string }[] }
      expect(records.filter(one => one.type.startsWith('log.')).map(one => one.type)).toEqual(['log.read', 'log.verify'])
      for (const sql of ['INSERT INTO mcpgw_audit.schema_version VALUES (9)', 'DELETE FROM mcpgw_audit.record'])
        await expect(run(sql, as('mcpgw_auditor')), sql).rejects.toThrow(/permission denied/)
    })

    test('the role for retention deletes what a tombstone covers, and subjects that are to be forgotten', async () => {
      const gateway = await start({ url: as('mcpgw_writer') })
      await call(gateway, createExchange())
      await gateway.stop()
      await expect(run('DELETE FROM mcpgw_audit.record', as('mcpgw_retention'))).rejects.toThrow(/no tombstone covers it/)
      await run(
        `INSERT INTO mcpgw_audit.tombstone SELECT stream, 3, 0, encode(hash, 'hex'), '', '' FROM mcpgw_audit.record WHERE seq = 3`,
        as('mcpgw_retention'),
      )
      await run('DELETE FROM mcpgw_audit.record WHERE seq <= 3; DELETE FROM mcpgw_audit.subject', as('mcpgw_retention'))
      expect(Number((await rows())[0]!.seq)).toBe(4)
      await expect(run('TRUNCATE mcpgw_audit.record', as('mcpgw_retention'))).rejects.toThrow(/permission denied/)
    })

    test('only the role for retention prunes, and holds', async () => {
      const recorded: AdminEvent[] = []
      const record = async (event: AdminEvent): Promise<boolean> => recorded.push(event) > 0
      const gateway = await start({ url: as('mcpgw_writer') })
      await call(gateway, createExchange())
      await gateway.stop()
      const out = join(dir, 'export.jsonl')
      await runCommand(dir, 'audit export', { out }, { url: as('mcpgw_auditor') })
      const prune = (role: string): ReturnType<typeof runCommand> =>
        runCommand(dir, 'audit prune', { olderThan: '1d', exported: out }, { url: as(role), now: Date.now() + 2 * 86_400_000, record })
      const before = await rows()
      expect(await prune('mcpgw_writer')).toMatchObject({ code: 3, err: expect.stringContaining('permission denied') as string })
      for (const role of ['mcpgw_writer', 'mcpgw_auditor'])
        expect(await runCommand(dir, 'audit hold add', { all: true, reason: 'x' }, { url: as(role) })).toMatchObject({ code: 3 })
      expect(await rows()).toEqual(before)
      expect(await runCommand(dir, 'audit hold add', { all: true, reason: 'x' }, { url: as('mcpgw_retention'), record })).toMatchObject({
        code: 0,
      })
      const [{ id }] = (await run('SELECT id FROM mcpgw_audit.hold', url)) as [{ id: string }]
      expect(await runCommand(dir, 'audit hold remove', {}, { url: as('mcpgw_retention'), args: [id], record })).toMatchObject({
        code: 0,
      })
      expect(await prune('mcpgw_retention')).toMatchObject({ code: 0, err: '' })
      expect((await rows()).length).toBeLessThan(before.length)
      expect(recorded.map(one => [one.type, one.success ?? true])).toEqual([
        ['log.retention', true],
        ['log.retention', false],
        ['log.hold', true],
        ['log.hold', true],
        ['log.retention', true],
        ['log.retention', true],
      ])
    })

    test('only the role for retention erases', async () => {
      const gateway = await start({ url: as('mcpgw_writer') })
      await call(gateway, createExchange())
      await gateway.stop()
      const subjects = (): Promise<unknown[]> => run('SELECT * FROM mcpgw_audit.subject', url)
      const before = await subjects()
      const erase = (role: string): ReturnType<typeof runCommand> =>
        runCommand(dir, 'privacy erase', { subject: 'agent-1', reason: 'r', yes: true }, { url: as(role) })
      for (const role of ['mcpgw_writer', 'mcpgw_auditor'])
        expect(await erase(role)).toMatchObject({ code: 3, err: expect.stringContaining('permission denied') as string })
      expect(await subjects()).toEqual(before)
      expect(await erase('mcpgw_retention')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('until a vacuum') as string })
      expect(await subjects()).toHaveLength(before.length - 1)
    })

    test('a writer of a newer gateway is told that the owner has to bring the tables up first', async () => {
      const empty = await createDatabase()
      await expect(startGateway({ dir: tempDir(), url: withParts(empty, { user: names.mcpgw_writer! }) })).rejects.toMatchObject({
        code: 'store-missing',
        message: expect.stringContaining('mcpgw migrate') as string,
      })
    })
  })
})
