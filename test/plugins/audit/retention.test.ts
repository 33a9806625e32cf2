// Retention by itself: a gateway that runs exports what is new once a day, takes out what is too old, and says where it cannot.
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, RecordReader } from 'mcpgw/plugin'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDatabase, run, server } from '../../postgres/server.ts'
import { call, createExchange, type Gateway, parseConfig, type Ran, realClock, runCommand, startGateway, tempDir } from './gateway.ts'

const DAY_MS = 86_400_000

describe.each([
  ['a file', false],
  ['PostgreSQL', true],
] as const)('a log in %s', (_name, isPostgres) => {
  describe.skipIf(isPostgres && server === undefined)('that is kept for so long', { timeout: 60_000 }, () => {
    let dir: string
    let url: string | undefined
    let days: number
    let due: { at: number; run: () => void }[]
    const clock: Clock = {
      now: () => Date.now() + days * DAY_MS,
      mono: realClock.mono,
      after(ms, run) {
        if (ms <= 60_000) return realClock.after(ms, run)
        const one = { at: ms, run }
        due.push(one)
        return () => {
          due = due.filter(other => other !== one)
        }
      },
    }
    beforeAll(async () => {
      url = isPostgres ? await createDatabase() : undefined
    })
    beforeEach(async () => {
      dir = tempDir()
      days = 0
      due = []
      if (url !== undefined) await run('DROP SCHEMA IF EXISTS mcpgw_audit CASCADE', url)
    })
    const config = {
      checkpoints: { records: 4 },
      anchors: [{ file: 'anchor.txt' }],
      retention: { profile: 'pci-12m', export: 'archive' },
    }
    const start = (): Promise<Gateway> => startGateway({ dir, config, url, clock })
    const files = (): string[] =>
      readdirSync(join(dir, 'archive'))
        .filter(name => name.endsWith('.jsonl'))
        .sort()
    const command = (verb: string, options: Record<string, string | boolean> = {}, args: string[] = []): Promise<Ran> =>
      runCommand(dir, verb, options, { url, args, now: clock.now() })
    const types = async (): Promise<string[]> =>
      (
        JSON.parse((await command('audit log', { all: true, json: true, limit: '1000' })).out) as { records: { type: string }[] }
      ).records.map(one => one.type)
    /** What is due, and when it is due again. */
    async function daily(): Promise<number> {
      const [next] = due.splice(0)
      next!.run()
      await expect.poll(() => due.length, { timeout: 50_000 }).toBe(1)
      return due[0]!.at
    }
    async function live(calls: number): Promise<void> {
      const gateway = await start()
      for (let i = 0; i < calls; i++) await call(gateway, createExchange())
      await gateway.stop()
    }

    test('what is new goes into the file of the month, what is too old out of the log; both verify, and the next day there is no more to do', async () => {
      await live(5)
      const gateway = await start()
      await call(gateway, createExchange())
      expect(await daily()).toBeGreaterThanOrEqual(DAY_MS)
      expect(files()).toHaveLength(1)
      expect(await types()).not.toContain('log.retention')
      const before = await types()
      days = 401
      await call(gateway, createExchange())
      await daily()
      expect(files()).toEqual([...files()].sort())
      expect(files()).toHaveLength(2)
      expect(gateway.health?.why ?? '').not.toContain('retention')
      const after = await types()
      expect(after.filter(type => type === 'log.retention')).toHaveLength(2)
      expect(after.filter(type => type === 'intent').length).toBeLessThan(before.filter(type => type === 'intent').length)
      for (const args of [[], ['archive']])
        expect(await command('audit verify', { checkpoint: 'anchor.txt' }, args)).toMatchObject({ code: 0 })
      for (const name of files()) expect(statSync(join(dir, 'archive', name)).mode & 0o777).toBe(0o600)
      await daily()
      expect((await types()).filter(type => type === 'log.retention')).toHaveLength(2)
      await gateway.stop()
      expect(due).toEqual([])
      // Whatever went is in the files, and a gateway goes on with them.
      expect(readFileSync(join(dir, 'archive', files()[0]!), 'utf8').match(/"kind":"record"|^\{"body"/gm)?.length).toBeGreaterThan(10)
      await start()
      await daily()
      expect(await command('audit verify', { checkpoint: 'anchor.txt' }, ['archive'])).toMatchObject({ code: 0 })
    })

    test('what another plugin has not read stays, which is no failure but said; where it cannot tell nothing goes, and health says so', async () => {
      await live(5)
      const readers = vi.fn(async (): Promise<readonly RecordReader[]> => [{ plugin: 'meter', through: new Map() }])
      days = 401
      const gateway = await startGateway({ dir, config, url, clock, readers })
      const before = await types()
      expect(await daily()).toBeGreaterThanOrEqual(DAY_MS)
      expect(readers).toHaveBeenCalledOnce()
      expect(gateway.logged.join()).toContain('plugin meter has not read it')
      expect((await types()).slice(0, before.length)).toEqual(before)
      readers.mockRejectedValue(new Error('meter cannot tell'))
      expect(await daily()).toBeLessThan(DAY_MS)
      expect(gateway.health).toMatchObject({
        status: 'degraded',
        why: expect.stringContaining('retention: audit prune: meter cannot tell') as string,
      })
      expect((await types()).slice(0, before.length)).toEqual(before)
      await gateway.stop()
    })

    test('what a killed run left behind is gone on with: lines behind the end of a file, and a file that was only begun', async () => {
      await live(5)
      const gateway = await start()
      await daily()
      appendFileSync(join(dir, 'archive', files()[0]!), '{"body":"cut o')
      days = 401
      const month = new Date(clock.now()).toISOString().slice(0, 7)
      writeFileSync(join(dir, 'archive', `audit-${month}.jsonl`), '')
      expect(await daily()).toBeGreaterThanOrEqual(DAY_MS)
      expect(gateway.health?.why ?? '').not.toContain('retention')
      expect((await types()).filter(type => type === 'log.retention')).toHaveLength(2)
      await gateway.stop()
      expect(await command('audit verify', {}, ['archive'])).toMatchObject({ code: 4 })
    })

    test('where the files are not what was exported nothing goes, and health says why; it is tried again within the day', async () => {
      await live(5)
      const gateway = await start()
      await daily()
      const before = await types()
      const file = join(dir, 'archive', files()[0]!)
      writeFileSync(file, readFileSync(file, 'utf8').replace('stream.start', 'stream.begin'))
      days = 401
      expect(await daily()).toBeLessThan(DAY_MS)
      expect(gateway.health).toMatchObject({ status: 'degraded', why: expect.stringContaining('retention: ') as string })
      expect((await types()).filter(type => type === 'intent')).toEqual(before.filter(type => type === 'intent'))
      await gateway.stop()
    })
  })
})

test('how long is a profile or days, and never both', async () => {
  const daysOf = async (retention: object): Promise<number | undefined> => (await parseConfig({ retention })).retention?.days
  expect(await daysOf({ keep: '30d', export: 'a' })).toBe(30)
  for (const [profile, least] of [
    ['pci-12m', 366],
    ['hipaa-6y', 6 * 365 + 2],
    ['eu-ai-act-6m', 184],
  ] as const)
    expect(await daysOf({ profile, export: 'a' })).toBeGreaterThanOrEqual(least)
  for (const wrong of [{ export: 'a' }, { keep: '30d' }, { keep: '1y', export: 'a' }, { keep: '30d', profile: 'pci-12m', export: 'a' }])
    await expect(parseConfig({ retention: wrong })).rejects.toThrow()
})
