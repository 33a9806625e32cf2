// Erasure and export of what is stored about somebody: nothing opens any more that was theirs, all else does, and the log verifies as before.
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { AdminEvent, Exchange, PersonalHolder } from 'mcpgw/plugin'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { readMasterKey } from '../../../plugins/audit/master-key.ts'
import { createOpener } from '../../../plugins/audit/opened.ts'
import type { LogReader, StoredRecord, SubjectRow } from '../../../plugins/audit/store/log-store.ts'
import { openStore } from '../../../plugins/audit/store/open.ts'
import { deriveKeys, openSubject } from '../../../plugins/audit/subjects.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'
import {
  agent,
  call,
  createExchange,
  type Fields,
  type Gateway,
  parseConfig,
  payload,
  type Ran,
  recordIn,
  result,
  runCommand,
  startGateway,
  tempDir,
} from './gateway.ts'

const REASON = 'request 17'
const YES = { subject: 'agent-1', reason: REASON, yes: true }

/** Every file below, whole. */
function filesOf(dir: string): Buffer[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map(name => join(dir, name))
    .filter(path => statSync(path).isFile())
    .map(path => readFileSync(path))
}

describe.each([
  ['a file', false],
  ['PostgreSQL', true],
] as const)('a log in %s', (_name, isPostgres) => {
  describe.skipIf(isPostgres && server === undefined)('of which somebody is erased', () => {
    let dir: string
    let url: string | undefined
    let recorded: AdminEvent[]
    beforeAll(async () => {
      url = isPostgres ? await createDatabase() : undefined
    })
    beforeEach(async () => {
      dir = tempDir()
      recorded = []
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
    })

    const config = { checkpoints: { records: 4 }, anchors: [{ file: 'anchor.txt' }] }
    const start = (): Promise<Gateway> => startGateway({ dir, config, url })
    const as = (id: string, args = payload({ path: `/home/${id}` })): Exchange => createExchange({ principal: { ...agent, id }, args })
    async function live(calls: Readonly<Record<string, number>>): Promise<void> {
      const gateway = await start()
      for (const [id, times] of Object.entries(calls)) for (let i = 0; i < times; i++) await call(gateway, as(id))
      await gateway.stop()
    }
    type Options = Record<string, string | boolean>
    type More = Parameters<typeof runCommand>[3]
    const command = (verb: string, options: Options = {}, more: More = {}): Promise<Ran> =>
      runCommand(dir, verb, options, { url, record: async event => recorded.push(event) > 0, ...more })
    const erase = (options: Options = {}, more: More = {}): Promise<Ran> =>
      command('privacy erase', { ...YES, json: true, ...options }, more)
    async function withReader<Result>(work: (reader: LogReader) => Promise<Result>): Promise<Result> {
      const store = openStore(createStores({ dataDir: dir, url }), await parseConfig({}))
      const reader = await store.reader()
      try {
        return await work(reader)
      } finally {
        await reader.close()
        await store.close()
      }
    }
    const rows = (): Promise<readonly SubjectRow[]> => withReader(reader => reader.subjects())
    const keys = () => deriveKeys(readMasterKey(join(dir, 'audit.db.key')))
    const rowsOf = async (id: string): Promise<readonly SubjectRow[]> => (await rows()).filter(row => openSubject(keys(), row)?.id === id)
    /** As whoever has the master key reads them. */
    async function bodies(): Promise<Fields[]> {
      const opener = createOpener(keys(), await rows())
      const records: StoredRecord[] = []
      await withReader(async reader => {
        for await (const page of reader.forward(new AbortController().signal)) records.push(...page.records)
      })
      return records.map(record => opener(record) as Fields)
    }
    const verified = (options: Options = { checkpoint: 'anchor.txt' }, args: string[] = []): Promise<Ran> =>
      command('audit verify', options, { args })

    test('what is theirs opens by nothing that is left, what is of others does; the log verifies by what was signed and exported before', async () => {
      await live({ 'agent-1': 3, 'agent-2': 2 })
      await live({ 'agent-1': 2, 'agent-3': 1 })
      const out = join(dir, 'before.jsonl')
      await command('audit export', { out })
      const gone = await rowsOf('agent-1')
      expect(gone.length).toBeGreaterThan(0)
      const before = await bodies()
      const erased = await erase()
      expect(erased).toMatchObject({ code: 0, err: '' })
      expect(JSON.parse(erased.out)).toMatchObject({ subjects: gone.map(row => row.id) })
      expect(await rowsOf('agent-1')).toEqual([])
      for (const [i, after] of (await bodies()).entries()) {
        if (gone.some(row => row.id === after.subject)) expect(after).not.toHaveProperty('actor')
        else expect(after).toEqual(before[i])
      }
      if (url === undefined)
        for (const bytes of filesOf(dir))
          for (const text of gone.flatMap(row => [row.key, row.who, row.lookup])) expect(bytes.includes(text)).toBe(false)
      expect(await verified()).toMatchObject({ code: 0 })
      expect(await verified({ checkpoint: out }, [out])).toMatchObject({ code: 0 })
      expect(await command('audit drill')).toMatchObject({ code: 0 })
      const old = before.find(body => body.subject === gone[0]!.id)!
      const proof = await command('audit prove', {}, { args: [`${old.stream as string}:${old.seq as number}`] })
      writeFileSync(join(dir, 'proof.json'), proof.out)
      expect(await command('audit prove', { check: 'proof.json' })).toMatchObject({ code: 0 })
      const log = await command('audit log', { limit: '100' })
      expect(log.out).toContain(gone[0]!.id)
      expect(log.out).not.toContain('agent-1')
      await live({ 'agent-1': 1 })
      expect(await verified()).toMatchObject({ code: 0 })
      const again = join(dir, 'after.jsonl')
      await command('audit export', { out: again })
      expect(await verified({ checkpoint: again }, [again])).toMatchObject({ code: 0 })
    })

    test('it is on record by pseudonym, before and after, with a digest of the keys; no name is', async () => {
      await live({ 'agent-1': 1 })
      const [row] = await rowsOf('agent-1')
      await erase()
      expect(recorded.map(({ type, detail }) => [type, detail])).toEqual([
        ['erasure', { stage: 'begin', subjects: [row!.id], reason: REASON }],
        [
          'erasure',
          {
            stage: 'end',
            subjects: [row!.id],
            digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
            reason: REASON,
            plugins: {},
          },
        ],
      ])
      expect(JSON.stringify(recorded)).not.toContain('agent-1')
    })

    test('once more nothing happens, and a dry run changes nothing', async () => {
      await live({ 'agent-1': 1 })
      const before = await rows()
      const dry = await erase({ dryRun: true })
      expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, subjects: [expect.any(String)] })
      expect(await rows()).toEqual(before)
      expect(recorded).toEqual([])
      await erase()
      const after = await rows()
      expect(await command('privacy erase', YES)).toMatchObject({
        code: 0,
        out: expect.stringContaining('nothing is stored about them') as string,
      })
      expect(await rows()).toEqual(after)
    })

    test.each([
      ['of the person', { consumer: 'agent-1' }],
      ['of their tenant', { tenant: 'acme' }],
      ['of everybody', { all: true }],
    ] as const)('a hold %s stops it, and names itself; once it is let go, so is what it said', async (_whose, options) => {
      await live({ 'agent-1': 1 })
      await command('audit hold add', { ...options, reason: 'case 99' })
      const { id } = recorded.pop()!.detail as { id: string }
      const before = await rows()
      for (const more of [{}, { dryRun: true }, { tenant: 'acme' }])
        expect(await erase(more)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`hold ${id}`) as string })
      expect(await rows()).toEqual(before)
      expect(recorded).toEqual([])
      await command('audit hold remove', {}, { args: [id] })
      if (url === undefined) for (const bytes of filesOf(dir)) expect(bytes.includes('case 99')).toBe(false)
      expect(await erase()).toMatchObject({ code: 0 })
    })

    test('a hold of somebody else, or of another tenant than the one that is named, stops nothing', async () => {
      await live({ 'agent-1': 1 })
      await command('audit hold add', { consumer: 'agent-2', reason: 'case 1' })
      await command('audit hold add', { tenant: 'blake', reason: 'case 2' })
      expect(await erase()).toMatchObject({ code: 1, err: expect.stringContaining('case 2') as string })
      expect(await erase({ tenant: 'acme' })).toMatchObject({ code: 0 })
    })

    test('a hold is not added for a reason that names whom it is on: the record of it stays', async () => {
      await live({ 'agent-1': 1 })
      expect(await command('audit hold add', { consumer: 'agent-1', reason: 'agent-1 v. us' })).toMatchObject({ code: 2 })
      expect(recorded).toEqual([])
    })

    test('only in the tenant that is named', async () => {
      const gateway = await start()
      for (const tenant of ['acme', 'blake']) await call(gateway, createExchange({ principal: { ...agent, tenant } }))
      await gateway.stop()
      await erase({ tenant: 'blake' })
      expect((await rowsOf('agent-1')).map(row => openSubject(keys(), row)?.tenant)).toEqual(['acme'])
    })

    test.each([
      ['a reason that names them', { reason: 'agent-1 asked' }, 2],
      ['no reason', { reason: '' }, 2],
      ['no name', { subject: '' }, 2],
      ['no yes', { yes: false }, 2],
    ] as const)('%s is refused', async (_what, options, code) => {
      await live({ 'agent-1': 1 })
      const before = await rows()
      expect(await erase(options)).toMatchObject({ code, out: '' })
      expect(await rows()).toEqual(before)
    })

    test('what cannot be put on record is not done, nor is what cannot be opened called done', async () => {
      await live({ 'agent-1': 1 })
      const before = await rows()
      expect(await erase({}, { record: async () => false })).toMatchObject({ code: 3, out: '' })
      expect(await rows()).toEqual(before)
      writeFileSync(join(dir, 'audit.db.key'), 'ab'.repeat(32))
      const other = await erase()
      expect(other).toMatchObject({ code: 3 })
      expect(JSON.parse(other.out)).toMatchObject({
        left: expect.arrayContaining([expect.stringContaining('another audit key') as string]),
      })
    })

    test('what other plugins keep goes first, and where one cannot, no key has gone', async () => {
      await live({ 'agent-1': 1 })
      const [row] = await rowsOf('agent-1')
      const asked: unknown[] = []
      const holder = (isBroken: boolean): PersonalHolder => ({
        plugin: 'keeper',
        export: async () => ({ kept: 1 }),
        async erase(person) {
          asked.push(person)
          if (isBroken) throw new Error('the disk is full')
          return { entries: 2, left: 'a file' }
        },
      })
      expect(await erase({}, { personal: [holder(true)] })).toMatchObject({
        code: 3,
        err: expect.stringContaining('disk is full') as string,
      })
      expect(await rowsOf('agent-1')).toHaveLength(1)
      const done = await erase({}, { personal: [holder(false)] })
      expect(JSON.parse(done.out)).toMatchObject({ plugins: ['keeper'], left: expect.arrayContaining(['keeper: a file']) })
      expect(asked).toEqual(Array(2).fill({ id: 'agent-1', tenant: undefined, subjects: [row!.id] }))
    })

    test('it says which exports may have sent who it is, and not those that name nobody', async () => {
      await live({ 'agent-1': 1 })
      const exports = [
        { name: 'siem', webhook: 'https://siem.example/in?token=x' },
        { name: 'blind', webhook: 'https://blind.example/in', names: false },
        { name: 'sealed', file: 'sealed.jsonl', form: 'evidence' },
        { name: 'quoting', file: 'quoting.jsonl', names: false, contents: true },
      ]
      const told = [
        'what export siem has sent to https://siem.example/in may name them',
        `what export quoting has sent to ${join(dir, 'quoting.jsonl')} may name them`,
      ]
      const about = (ran: Ran): string[] => (JSON.parse(ran.out) as { left: string[] }).left.filter(one => one.includes('export'))
      expect(about(await erase({ dryRun: true }, { config: { exports } }))).toEqual(told)
      expect(about(await erase({}, { config: { exports } }))).toEqual(told)
      expect(about(await erase({}, { config: { exports } }))).toEqual([])
    })

    describe('while a gateway runs', () => {
      test('it goes on with a new pseudonym whose key is stored, and a call under way says only that it ended', async () => {
        const gateway = await startGateway({ dir, config: { ...config, content: 'full' }, url })
        await call(gateway, as('agent-1'))
        await call(gateway, as('agent-2'))
        const [old] = await rowsOf('agent-1')
        const [other] = await rowsOf('agent-2')
        const slow = as('agent-1')
        await gateway.hooks.onSealed!(slow)
        const asked = Date.now()
        expect(await erase({}, { record: recordIn({ dir, url }) })).toMatchObject({ code: 0 })
        const answer = result({ content: [{ type: 'text', text: 'late' }] })
        await gateway.hooks.onResponse!(slow, answer)
        await gateway.hooks.onSettled!(slow, { kind: 'answered', answer, isToolError: false })
        expect(await rowsOf('agent-1')).toEqual([])
        const fresh = as('agent-1')
        await call(gateway, fresh)
        await call(gateway, as('agent-2'))
        const [row] = await rowsOf('agent-1')
        expect(row!.id).not.toBe(old!.id)
        expect(await rowsOf('agent-2')).toEqual([other])
        const all = await bodies()
        expect(all.filter(body => body.callId === fresh.id).map(body => (body.actor as Fields).id)).toEqual(['agent-1', 'agent-1'])
        const outcome = all.find(body => body.callId === slow.id && body.type === 'outcome')!
        expect(outcome).toMatchObject({ subject: old!.id, outcome: 'answered' })
        expect(outcome).not.toHaveProperty('personal')
        // Nothing is sealed by the key that has gone, but what was before.
        const sealed = all.filter(body => body.subject === old!.id && body.personal !== undefined)
        expect(sealed.length).toBeGreaterThan(0)
        expect(sealed.every(body => body.at <= asked)).toBe(true)
        await gateway.stop()
        expect(await verified()).toMatchObject({ code: 0 })
        await live({ 'agent-1': 1 })
        expect(await rowsOf('agent-1')).toEqual([row])
      })

      test('who is stopped while it waits has deleted no key, and does it with the next run', async () => {
        const gateway = await start()
        await call(gateway, as('agent-1'))
        const before = await rowsOf('agent-1')
        const stopping = new AbortController()
        setTimeout(() => stopping.abort(), 300)
        expect(await erase({}, { signal: stopping.signal })).toMatchObject({ code: 3, err: expect.stringContaining('stopped') as string })
        expect(await rowsOf('agent-1')).toEqual(before)
        await gateway.stop()
        // Begun after the marks: it does not take the key up again.
        await live({ 'agent-1': 1 })
        expect(await rowsOf('agent-1')).toHaveLength(2)
        expect(await erase()).toMatchObject({ code: 0 })
        expect(await rowsOf('agent-1')).toEqual([])
        expect(await withReader(reader => reader.retired())).toEqual([])
      })
    })

    test('an export has all that is theirs, opened, and nobody else by name', async () => {
      const gateway = await start()
      for (const id of ['agent-1', 'agent-2', 'agent-1']) await call(gateway, as(id))
      await gateway.recording.event({
        type: 'key.create',
        actor: { id: 'cli:boss' },
        detail: { key: 'k1' },
        about: { tenant: 'acme', id: 'agent-1', detail: { name: 'My Agent' } },
      })
      await gateway.stop()
      const record = recordIn({ dir, url })
      await command('audit log', { consumer: 'agent-1' }, { record })
      const keeper: PersonalHolder = { plugin: 'keeper', export: async () => ({ kept: 1 }), erase: async () => ({ entries: 0 }) }
      const { code, out } = await command('privacy export', { subject: 'agent-1' }, { personal: [keeper], record })
      expect(code).toBe(0)
      const document = JSON.parse(out) as { records: Fields[]; plugins: unknown; pseudonyms: unknown[] }
      expect(document.plugins).toEqual({ keeper: { kept: 1 } })
      expect(document.pseudonyms).toHaveLength(1)
      const types = document.records.map(one => one.type as string)
      expect(types).toEqual(['intent', 'outcome', 'intent', 'outcome', 'key.create', 'log.read', 'log.read'])
      expect(document.records[0]).toMatchObject({ actor: { id: 'agent-1' }, args: { path: '/home/agent-1' }, tool: 'read' })
      expect(document.records[4]).toMatchObject({ detail: { key: 'k1' }, about: { detail: { name: 'My Agent' } } })
      for (const name of ['agent-2', 'cli:boss', 'cli:tester']) expect(out).not.toContain(name)
      const csv = await command('privacy export', { subject: 'agent-1', format: 'csv', out: 'mine.csv' }, { record })
      expect(csv).toMatchObject({ code: 0, out: '' })
      expect(readFileSync(join(dir, 'mine.csv'), 'utf8').split('\r\n').length).toBeGreaterThan(types.length + 1)
      expect(statSync(join(dir, 'mine.csv')).mode & 0o777).toBe(0o600)
      expect(await command('privacy export', { subject: 'agent-1', out: 'mine.csv' }, { record })).toMatchObject({ code: 3 })
      const nobody = await command('privacy export', { subject: 'agent-9' }, { record })
      expect(JSON.parse(nobody.out)).toMatchObject({ pseudonyms: [], records: [] })
    })

    test('no record of the administration has a name in it that erasure would leave there', async () => {
      const record = recordIn({ dir, url })
      const gateway = await start()
      const id = `person-${randomUUID()}`
      await call(gateway, as(id))
      await gateway.recording.event({
        type: 'key.create',
        actor: { id: 'cli:boss' },
        detail: { key: 'k1' },
        about: { tenant: 'acme', id, detail: { principal: id } },
      })
      await gateway.stop()
      for (const verb of ['audit log', 'audit stats']) await command(verb, { consumer: id }, { record })
      await command('audit export', { consumer: id, format: 'csv' }, { record })
      await command('privacy export', { subject: id }, { record })
      expect(await erase({ subject: id }, { record })).toMatchObject({ code: 0 })
      expect(JSON.stringify(await bodies())).not.toContain(id)
      if (url === undefined) for (const bytes of filesOf(dir)) expect(bytes.includes(id)).toBe(false)
    })
  })
})

test('whoever is erased, what is theirs opens by nothing that is left in any file, all else does, and the log verifies', async () => {
  const people = fc.array(fc.constantFrom('ann', 'bob', 'cat', 'dan', 'eve'), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(people, { minLength: 1, maxLength: 3 }),
      fc.subarray(['ann', 'bob', 'cat', 'dan', 'eve']),
      async (boots, erased) => {
        const dir = tempDir()
        const rowsOf = (): SubjectRow[] => {
          const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
          try {
            return db.prepare('SELECT * FROM subject').all() as unknown as SubjectRow[]
          } finally {
            db.close()
          }
        }
        for (const callers of boots) {
          const gateway = await startGateway({ dir, config: { anchors: [{ file: 'anchor.txt' }] } })
          for (const id of callers) await call(gateway, createExchange({ principal: { ...agent, id } }))
          await gateway.stop()
        }
        const keys = deriveKeys(readMasterKey(join(dir, 'audit.db.key')))
        const before = rowsOf()
        const nameOf = (row: SubjectRow): string => openSubject(keys, row)!.id
        for (const subject of erased) await runCommand(dir, 'privacy erase', { subject, reason: 'r', yes: true })
        const gone = before.filter(row => erased.includes(nameOf(row)))
        expect(rowsOf()).toEqual(before.filter(row => !erased.includes(nameOf(row))))
        for (const bytes of filesOf(dir)) for (const { key, who } of gone) expect(bytes.includes(key) || bytes.includes(who)).toBe(false)
        expect(await runCommand(dir, 'audit verify', { checkpoint: 'anchor.txt' })).toMatchObject({ code: 0 })
      },
    ),
    { numRuns: 15 },
  )
})
