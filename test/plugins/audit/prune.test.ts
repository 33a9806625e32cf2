// Retention: what is old, signed, exported and held by nobody goes, with a tombstone; what is left verifies, proves and goes on.
import { hash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AdminEvent, CommandIo, Database } from 'mcpgw/plugin'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { postgresStore } from '../../../plugins/audit/store/postgres.ts'
import { sqliteStore } from '../../../plugins/audit/store/sqlite.ts'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { agent, call, createExchange, type Ran, runCommand, startGateway, tempDir } from './gateway.ts'

const LATER = Date.now() + 401 * 86_400_000
const OLD = { olderThan: '400d' }

describe.each([
  ['a file', false],
  ['PostgreSQL', true],
] as const)('a log in %s', (_name, isPostgres) => {
  describe.skipIf(isPostgres && server === undefined)('when it is pruned', () => {
    let dir: string
    let url: string | undefined
    beforeAll(async () => {
      url = isPostgres ? await createDatabase() : undefined
    })
    let out: string
    let recorded: AdminEvent[]
    beforeEach(async () => {
      dir = tempDir()
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
      out = join(dir, 'export.jsonl')
      recorded = []
      await live(5)
      await live(3)
    })

    async function live(calls: number, id = 'agent-1'): Promise<void> {
      const config = { checkpoints: { records: 4 }, anchors: [{ file: 'anchor.txt' }] }
      const gateway = await startGateway({ dir, config, url })
      for (let i = 0; i < calls; i++) await call(gateway, createExchange({ principal: { ...agent, id } }))
      await gateway.stop()
    }
    const audit = (
      verb: string,
      options: Record<string, string | boolean> = {},
      more: { args?: string[]; config?: Record<string, unknown>; record?: CommandIo['record']; readers?: CommandIo['readers'] } = {},
    ): Promise<Ran> =>
      runCommand(dir, `audit ${verb}`, options, { url, now: LATER, record: async event => recorded.push(event) > 0, ...more })
    const exportIt = (resume = false): Promise<Ran> => audit('export', { out, ...(resume && { resume }) })
    const prune = (options: Record<string, string | boolean> = {}, record?: CommandIo['record']): Promise<Ran> =>
      audit('prune', { ...OLD, exported: out, json: true, ...options }, record && { record })
    const change = async (sql: string): Promise<void> => {
      if (url !== undefined)
        await run(`SET session_replication_role = replica; ${sql.replaceAll(/\b(FROM|UPDATE) /g, '$1 mcpgw_audit.')}`, url)
      else withLog(dir, db => db.exec(sql))
    }
    const places = async (): Promise<string[]> =>
      url !== undefined
        ? (await run('SELECT stream, seq FROM mcpgw_audit.record ORDER BY length(stream), stream, seq', url)).map(
            one => `${String(one.stream)}:${String(one.seq)}`,
          )
        : withLog(dir, db =>
            db
              .prepare('SELECT stream, seq FROM record ORDER BY n')
              .all()
              .map(one => `${String(one.stream)}:${String(one.seq)}`),
          )
    const verified = (options: Record<string, string> = { checkpoint: 'anchor.txt' }): Promise<Ran> => audit('verify', options)

    test('what was exported goes, but for the last record; all that is left verifies, and a gateway goes on with it', async () => {
      await exportIt()
      const before = await places()
      const ran = await prune()
      expect(ran).toMatchObject({ code: 0, err: '' })
      const after = await places()
      expect(before.length).toBeGreaterThan(20)
      expect(after.length).toBeLessThan(before.length - 15)
      expect(after.at(-1)).toBe(before.at(-1))
      const { records, streams } = JSON.parse(ran.out) as { records: number; streams: { stream: string; through: number }[] }
      expect(records).toBe(before.length - after.length)
      const told = streams.map(one => ({ ...one, tombstone: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string }))
      const about = { exported: out, exportedDigest: `sha256:${hash('sha256', readFileSync(out))}` }
      expect(recorded.filter(one => one.type === 'log.retention')).toMatchObject([
        { detail: { stage: 'begin', ...about, records, streams } },
        { detail: { stage: 'end', ...about, records, streams: told } },
      ])
      expect(await verified()).toMatchObject({ code: 0, out: expect.stringContaining('taken out by tombstones') as string })
      await live(3)
      expect(await verified()).toMatchObject({ code: 0 })
      for (const verb of ['log', 'stats']) expect(await audit(verb)).toMatchObject({ code: 0 })
      expect(await audit('drill')).toMatchObject({ code: 0, out: expect.stringContaining('12 of 12 found') as string })
    })

    const subjects = async (): Promise<string[]> =>
      (url !== undefined
        ? await run('SELECT id FROM mcpgw_audit.subject', url)
        : withLog(dir, db => db.prepare('SELECT id FROM subject').all())
      )
        .map(one => String(one.id))
        .sort()
    const referredTo = async (): Promise<string[]> => {
      const { records } = JSON.parse((await audit('log', { all: true, json: true, limit: '1000' })).out) as {
        records: { subject?: string }[]
      }
      return [...new Set(records.flatMap(one => one.subject ?? []))].sort()
    }

    test('with the last record of somebody goes their key, and nobody else', async () => {
      await live(2, 'agent-2')
      expect(await subjects()).toEqual(await referredTo())
      const before = await subjects()
      await exportIt()
      expect(await prune()).toMatchObject({ code: 0 })
      expect((await subjects()).length).toBeLessThan(before.length)
      expect(await subjects()).toEqual(await referredTo())
      const { detail } = recorded.findLast(one => one.type === 'log.retention')!
      expect(detail).toMatchObject({ stage: 'end', forgotten: before.length - (await subjects()).length })
    })

    test('a gateway that runs meanwhile seals with no key that has gone', async () => {
      const gateway = await startGateway({ dir, config: { checkpoints: { records: 4 } }, url })
      await call(gateway, createExchange({ principal: { ...agent, id: 'agent-3' } }))
      await exportIt()
      const pruning = prune()
      const calling = (async () => {
        for (let i = 0; i < 10; i++) {
          await new Promise(next => setTimeout(next, 500))
          for (const id of ['agent-1', 'agent-3']) await call(gateway, createExchange({ principal: { ...agent, id } }))
        }
      })()
      expect(await pruning).toMatchObject({ err: '' })
      await calling
      await gateway.stop()
      const stored = await subjects()
      for (const id of await referredTo()) expect(stored).toContain(id)
    })

    test('what a configured export has not sent stays, until it has', async () => {
      await exportIt()
      const config = { exports: [{ name: 'siem', file: 'siem.jsonl' }] }
      const plan = (): Promise<Ran> => audit('prune', { ...OLD, dryRun: true }, { config })
      expect(await plan()).toMatchObject({ code: 1, out: expect.stringContaining('export siem has not sent it') as string })
      const gateway = await startGateway({ dir, url, config })
      await gateway.stop()
      expect(await plan()).toMatchObject({ code: 0, out: expect.not.stringContaining('0 records') as string })
    })

    test('what another plugin has not read stays, until it has; and where it cannot tell nothing goes', async () => {
      await exportIt()
      const before = await places()
      const [first, second] = [...new Set(before.map(one => one.replace(/:\d+$/, '')))] as [string, string]
      const through = new Map<string, number>()
      const readers = async () => [{ plugin: 'meter', through }]
      const run = (more: object = {}): Promise<Ran> => audit('prune', { ...OLD, exported: out }, { readers, ...more })
      const failing = await run({ readers: () => Promise.reject(new Error('meter cannot tell')) })
      expect(failing).toMatchObject({ code: 3, err: 'audit prune: meter cannot tell\n' })
      expect(await run()).toMatchObject({
        code: 1,
        out: expect.stringContaining('from record 1 on: plugin meter has not read it') as string,
      })
      expect(await places()).toEqual(before)
      through.set(first, 9)
      expect(await run()).toMatchObject({
        code: 1,
        out: expect.stringContaining(`kept ${first} from record 10 on: plugin meter`) as string,
      })
      const left = (await places()).filter(one => one.startsWith(`${first}:`)).map(one => Number(one.split(':').at(-1)))
      // Up to a checkpoint, which are four records apart at most.
      expect(left[0]).toBeGreaterThan(1)
      expect(left[0]).toBeLessThanOrEqual(10)
      for (const stream of [first, second]) through.set(stream, 1_000_000)
      expect(await run()).toMatchObject({ code: 0 })
      expect((await places()).some(one => one.startsWith(`${first}:`))).toBe(false)
      expect(await verified()).toMatchObject({ code: 0 })
    })

    test('a record behind a tombstone is proven, and by the old checkpoints as before', async () => {
      await exportIt()
      await prune()
      await live(9)
      for (const id of (await places()).slice(0, -1)) {
        const proof = await audit('prove', {}, { args: [id] })
        expect(proof).toMatchObject({ code: 0 })
        writeFileSync(join(dir, 'proof.json'), proof.out)
        expect(await audit('prove', { check: 'proof.json' })).toMatchObject({ code: 0 })
      }
    })

    test('an export goes on over it, and verifies; so does a new one', async () => {
      await exportIt()
      await prune()
      await live(3)
      expect(await exportIt(true)).toMatchObject({ code: 0 })
      expect(readFileSync(out, 'utf8')).toContain('{"tombstone"')
      const fresh = join(dir, 'fresh.jsonl')
      await audit('export', { out: fresh })
      for (const file of [out, fresh]) expect(await audit('verify', { checkpoint: file }, { args: [file] })).toMatchObject({ code: 0 })
      // The next one, by either of them.
      await live(1)
      await exportIt(true)
      await prune()
      expect(await verified()).toMatchObject({ code: 0 })
      await exportIt(true)
      expect(await audit('verify', { checkpoint: out }, { args: [out] })).toMatchObject({ code: 0 })
    })

    test('an export from before with a gap goes on behind the tombstone', async () => {
      await exportIt()
      const other = join(dir, 'other.jsonl')
      await live(4)
      await live(1)
      copyFileSync(out, other)
      copyFileSync(`${out}.state`, `${other}.state`)
      await exportIt(true)
      await prune()
      expect(await audit('export', { out: other, resume: true })).toMatchObject({ code: 0 })
      expect(await audit('verify', { checkpoint: other }, { args: [other] })).toMatchObject({ code: 0 })
    })

    test.each([
      ['lacks records', (text: string) => text.split('\n').slice(0, 6).join('\n').concat('\n')],
      ['lacks one', (text: string) => text.split('\n').toSpliced(3, 1).join('\n')],
      [
        'has another one in its place',
        (text: string) => text.replace('"tool":"read"', '"tool":"rear"').replace('\\"tool\\":\\"read\\"', '\\"tool\\":\\"rear\\"'),
      ],
      ['is empty', () => ''],
    ])('an export that %s lets nothing go', async (_what, change) => {
      await exportIt()
      const text = readFileSync(out, 'utf8')
      expect(change(text)).not.toBe(text)
      writeFileSync(out, change(text))
      const before = await places()
      expect(await prune()).toMatchObject({ code: 1, err: expect.stringContaining('nothing was taken out') as string })
      expect(await places()).toEqual(before)
    })

    test('a run that fails on its way leaves a log that verifies, what went is on record, and the next run goes on', async () => {
      await exportIt()
      const before = await places()
      const second = before.at(-1)!.replace(/:\d+$/, '')
      const raise = 'BEFORE DELETE ON record'
      if (url === undefined)
        withLog(dir, db =>
          db.exec(`CREATE TRIGGER fail ${raise} WHEN OLD.stream = '${second}' BEGIN SELECT RAISE(ABORT, 'on its way'); END`),
        )
      else
        await run(
          `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on its way'; END $$;
           CREATE TRIGGER fail BEFORE DELETE ON mcpgw_audit.record FOR EACH ROW WHEN (OLD.stream = '${second}') EXECUTE FUNCTION fail()`,
          url,
        )
      expect(await prune()).toMatchObject({ code: 3, err: expect.stringContaining('on its way') as string })
      const half = await places()
      expect(half).toEqual(before.filter(one => one.startsWith(`${second}:`)))
      expect(recorded.filter(one => one.type === 'log.retention').at(-1)).toMatchObject({
        detail: { stage: 'end', records: before.length - half.length },
      })
      expect(await verified()).toMatchObject({ code: 0 })
      if (url === undefined) withLog(dir, db => db.exec('DROP TRIGGER fail'))
      else await run('DROP TRIGGER fail ON mcpgw_audit.record; DROP FUNCTION fail', url)
      expect(await prune()).toMatchObject({ code: 0 })
      expect((await places()).length).toBeLessThan(half.length)
      expect(await verified()).toMatchObject({ code: 0 })
    })

    test('what cannot be put on record is not taken out, and while it goes its beginning is there already', async () => {
      await exportIt()
      const before = await places()
      expect(await prune({}, async () => false)).toMatchObject({ code: 3, err: expect.stringContaining('nothing was taken out') as string })
      expect(await places()).toEqual(before)
      const seen: number[] = []
      await prune({}, async ({ type }) => type !== 'log.retention' || seen.push((await places()).length) > 0)
      expect(seen).toEqual([before.length, (await places()).length])
    })

    test('a hold whose removal cannot be put on record stays', async () => {
      await audit('hold add', { all: true, reason: 'case 7' })
      const { holds } = JSON.parse((await audit('hold list', { json: true })).out) as { holds: { id: string }[] }
      const args = [holds[0]!.id]
      expect(await audit('hold remove', {}, { args, record: async () => false })).toMatchObject({ code: 3 })
      expect((await audit('hold list')).out).toContain('case 7')
      expect(await audit('hold remove', {}, { args })).toMatchObject({ code: 0 })
      expect((await audit('hold list')).out).toBe('')
    })

    test('while one is at work, another one and a hold have to wait', async () => {
      await exportIt()
      const store =
        url === undefined
          ? sqliteStore(createStores({ dataDir: dir }), 'audit.db', 'os')
          : postgresStore(createStores({ dataDir: dir, url }).postgres()!, 'os')
      const first = await store.retention()
      for (const ran of [await prune(), await audit('hold add', { all: true, reason: 'x' })])
        expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('try again later') as string })
      await first.close()
      await store.close()
      expect(await prune()).toMatchObject({ code: 0 })
    })

    test.skipIf(isPostgres)('what was taken out is nowhere in the file any more', async () => {
      await exportIt()
      const first = createExchange({ resource: { kind: 'call', server: 'files', tool: 'find-these-bytes' } })
      const gateway = await startGateway({ dir })
      await call(gateway, first)
      await gateway.stop()
      await live(1)
      await exportIt(true)
      const bytes = (): boolean => readFileSync(join(dir, 'audit.db')).includes('find-these-bytes')
      expect(bytes()).toBe(true)
      await prune()
      expect(bytes()).toBe(false)
      expect(existsSync(join(dir, 'audit.db-wal')) && readFileSync(join(dir, 'audit.db-wal')).includes('find-these-bytes')).toBe(false)
    })

    test.skipIf(isPostgres)('the log itself is no export of it', async () => {
      const before = await places()
      expect(await prune({ exported: join(dir, 'audit.db') })).toMatchObject({
        code: 2,
        err: expect.stringContaining('audit export') as string,
      })
      expect(await places()).toEqual(before)
    })

    test('a log that is verified while it is pruned is found whole, each time', { timeout: 60_000 }, async () => {
      const gateway = await startGateway({ dir, config: { anchors: [{ file: 'anchor.txt' }] }, url })
      for (let done = 0; done < 8000; done += 500) await Promise.all(Array.from({ length: 500 }, () => call(gateway, createExchange())))
      await gateway.stop()
      await live(1)
      await exportIt()
      const before = (await places()).length
      let begins = (): void => {}
      const begun = new Promise<void>(resolve => {
        begins = resolve
      })
      let isDone = false
      const pruned = prune({}, async event => {
        if (event.type === 'log.retention') begins()
        return true
      }).finally(() => {
        isDone = true
      })
      await begun
      const ran: Ran[] = []
      while (!isDone) ran.push(await verified())
      expect(await pruned).toMatchObject({ code: 0 })
      expect((await places()).length).toBeLessThan(before / 10)
      expect(ran.filter(({ code }) => code !== 0)).toEqual([])
      if (process.env.MCPGW_FIGURES !== undefined) console.info(url, ran.length, ran.filter(one => one.err !== '').length)
      expect(ran.length).toBeGreaterThan(0)
      if (url === undefined) expect(ran.map(one => one.err).join()).toContain('verified once more, as it is at one moment')
    })

    test('what is young stays, and a dry run changes nothing', async () => {
      await exportIt()
      const before = await places()
      const young = await runCommand(dir, 'audit prune', { ...OLD, exported: out, json: true }, { url })
      expect(young).toMatchObject({ code: 0, err: '' })
      expect(JSON.parse(young.out)).toMatchObject({ records: 0, kept: [] })
      const dry = await audit('prune', { ...OLD, dryRun: true })
      expect(dry.out).toMatch(/^\d+ records of 2 streams would be taken out\n$/)
      expect(await places()).toEqual(before)
    })

    test('a hold on anybody whose records are there stops that stream, and says so; once it is removed they go', async () => {
      await live(2, 'agent-2')
      await live(1)
      await exportIt()
      await audit('hold add', { consumer: 'agent-2', reason: 'case 17' })
      const ran = await prune()
      expect(ran.code).toBe(1)
      const dry = await prune({ dryRun: true })
      expect(dry.code).toBe(1)
      const { kept } = JSON.parse(dry.out) as { kept: { stream: string; why: string }[] }
      expect(kept.map(one => one.why)).toEqual([expect.stringMatching(/^hold [0-9a-f]{8} \(consumer agent-2: case 17\)$/)])
      expect((await places()).some(one => one.startsWith(`${kept[0]!.stream}:`))).toBe(true)
      const [, id] = /hold ([0-9a-f]{8})/.exec(kept[0]!.why)!
      expect((await audit('hold list')).out).toContain('consumer agent-2: case 17')
      await audit('hold remove', {}, { args: [id!] })
      expect((await audit('hold list')).out).toBe('')
      expect(recorded.filter(one => one.type === 'log.hold').map(one => one.detail)).toEqual([
        { action: 'add', id, of: 'consumer', reason: 'case 17' },
        { action: 'remove', id, of: 'consumer', reason: 'case 17' },
      ])
      expect(JSON.parse((await prune({ dryRun: true })).out)).toMatchObject({ kept: [] })
    })

    test('a hold on somebody also keeps what others did that is about them', async () => {
      const gateway = await startGateway({ dir, url, config: { checkpoints: { records: 4 } } })
      const about = { tenant: 'acme', id: 'agent-9', detail: { principal: 'agent-9' } }
      await gateway.recording.event({ type: 'key.create', actor: { id: 'cli:root' }, detail: { key: 'k1' }, about })
      await gateway.stop()
      await live(3)
      await exportIt()
      const places = async (): Promise<readonly { stream: string; why: string }[]> =>
        (JSON.parse((await prune({ dryRun: true })).out) as { kept: { stream: string; why: string }[] }).kept
      await audit('hold add', { consumer: 'agent-8', reason: 'case 1' })
      expect(await places()).toEqual([])
      await audit('hold add', { consumer: 'agent-9', reason: 'case 2' })
      const kept = await places()
      expect(kept.map(one => one.why)).toEqual([expect.stringContaining('consumer agent-9: case 2')])
      expect(kept[0]!.stream).toMatch(/^gw\.b\d+$/)
    })

    test('a hold on everything stops everything', async () => {
      await exportIt()
      await audit('hold add', { all: true, reason: 'audit of 2026' })
      const before = await places()
      expect(await prune()).toMatchObject({ code: 1 })
      expect(await places()).toEqual(before)
    })

    test('calls of a gateway that runs are not taken out before they have ended, nor its last record', async () => {
      const gateway = await startGateway({ dir, url, config: { checkpoints: { records: 2 } } })
      await call(gateway, createExchange())
      const pending = createExchange()
      await gateway.hooks.onSealed!(pending)
      for (let i = 0; i < 5; i++) await call(gateway, createExchange())
      await exportIt()
      await prune()
      const db = await places()
      const left = await audit('log', { status: 'open', json: true })
      expect(JSON.parse(left.out)).toMatchObject({ records: [{ callId: pending.id }] })
      expect(db.length).toBeLessThan(25)
      await call(gateway, createExchange())
      await gateway.stop()
      await live(1)
      expect(await verified()).toMatchObject({ code: 0 })
    })

    test.each([
      ['a tombstone altered', "UPDATE tombstone SET note = replace(note, 'at 1', 'at 2')"],
      ['a tombstone moved', 'UPDATE tombstone SET through = through + 1'],
      ['tombstones removed', 'DELETE FROM tombstone'],
      [
        'a record deleted behind it',
        'DELETE FROM record WHERE seq = (SELECT min(seq) FROM record AS other WHERE other.stream = record.stream) AND (SELECT count(*) FROM record AS other WHERE other.stream = record.stream) > 2',
      ],
    ])('%s is found, with a checkpoint that was kept and without', async (_what, sql) => {
      await exportIt()
      await prune()
      await live(2)
      expect(await verified()).toMatchObject({ code: 0 })
      await change(sql)
      expect(await verified({})).toMatchObject({ code: 1 })
      expect(await verified()).toMatchObject({ code: 1 })
    })
  })
})

function withLog<T>(dir: string, work: (db: Database) => T): T {
  const db = createStores({ dataDir: dir }).open('audit.db')
  try {
    return work(db)
  } finally {
    db.close()
  }
}
