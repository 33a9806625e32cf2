// `audit report`: what there is of a period, whether it is all, and a sample that anybody draws and proves again.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import type { Report } from '../../../plugins/audit/commands/report-result.ts'
import { formats } from '../../../plugins/audit/commands/report-text.ts'
import { readGoldens } from '../../core/config/golden.ts'
import { parseCsv } from '../../core/plugin/csv-text.ts'
import { createDatabase, server } from '../../postgres/server.ts'
import {
  agent,
  call,
  createExchange,
  type Gateway,
  payload,
  type Ran,
  realClock,
  refused,
  result,
  runCommand,
  startGateway,
  tempDir,
} from './gateway.ts'

const at = (text: string): number => Date.parse(`${text}:00Z`)
const day = (dir: string, time: string, anchor = 'anchor.txt'): Promise<Gateway> =>
  startGateway({ dir, clock: { ...realClock, now: () => at(time) }, config: { anchors: [{ file: anchor }] } })

let dir: string
beforeAll(async () => {
  dir = tempDir()
  const october = await day(dir, '2026-10-31T23:59')
  await call(october, createExchange())
  await october.stop()
  const november = await day(dir, '2026-11-10T10:00', 'november.txt')
  await november.recording.event({
    type: 'config.load',
    actor: 'cli:root',
    detail: { files: [{ file: 'gateway.yaml', digest: 'sha256:ab' }] },
  })
  for (let i = 0; i < 6; i++) await call(november, createExchange())
  await call(november, createExchange({ resource: { kind: 'call', server: 'shell', tool: 'run' } }), result({ isError: true }))
  await call(november, createExchange({ principal: { ...agent, id: 'agent-2', tenant: 'umbrella' } }), {
    kind: 'error',
    payload: payload({}),
    code: 'upstream-timeout',
  })
  await november.hooks.onSettled!(createExchange(), { kind: 'denied', decision: refused })
  await november.hooks.onSealed!(createExchange({ resource: { kind: 'call', server: 'files', tool: 'pending' } }))
  await november.stop()
  const december = await day(dir, '2026-12-01T00:00')
  await call(december, createExchange())
  await december.stop()
})

const run = (options: Record<string, string | boolean> = {}, where = dir, config = {}): Promise<Ran> =>
  runCommand(where, 'audit report', { period: '2026-11', ...options }, { now: at('2026-12-02T09:00'), config })
const report = async (options: Record<string, string | boolean> = {}, config = {}): Promise<Report & { code: number }> => {
  const ran = await run({ json: true, ...options }, dir, config)
  return { code: ran.code, ...(JSON.parse(ran.out) as Report) }
}

test('a checkpoint from after the period, kept elsewhere, proves that the period is all there', async () => {
  const { code, completeness, course } = await report({ checkpoint: 'anchor.txt' })
  expect([code, completeness]).toMatchObject([0, { verdict: 'proven', period: 'proven', why: [], upTo: '2026-12-01T00:00:00.000Z' }])
  expect(course.streams).toHaveLength(1)
  const [{ first, last, records, proven }] = course.streams as [Report['course']['streams'][number]]
  expect([first, records, proven]).toEqual([1, last, last])
})

test('without one, and with one from before its end, the period is not proven, and it says what it lacks', async () => {
  expect(await report()).toMatchObject({
    code: 4,
    completeness: { verdict: 'consistent', period: 'not proven', why: [expect.stringContaining('--checkpoint')] },
  })
  expect(await report({ checkpoint: 'november.txt' })).toMatchObject({
    code: 4,
    completeness: {
      verdict: 'proven',
      period: 'not proven',
      why: ['the newest checkpoint that was kept elsewhere was signed before the end of the period'],
    },
  })
  expect(await report({ checkpoint: 'november.txt', period: '2026-10' })).toMatchObject({ code: 0 })
})

test('it counts what was called, refused and changed in the period, and nothing else', async () => {
  const { population, course, code } = await report()
  expect(code).toBe(4)
  expect(population).toMatchObject({
    calls: { total: 8, outcomes: { answered: 6, 'tool-error': 1, timeout: 1 } },
    refusals: { total: 1, codes: { denied: 1 } },
    administration: { 'config.load': 1, 'gateway.start': 1 },
    reads: 0,
    consumers: 2,
    servers: 2,
    tools: [
      { server: 'files', target: 'read', calls: 7, errors: 1, refused: 1 },
      { server: 'shell', target: 'run', calls: 1, errors: 1, refused: 0 },
    ],
  })
  expect(population.types).toMatchObject({ intent: 9, outcome: 8, refusal: 1, 'stream.start': 1, 'stream.stop': 1 })
  expect(Object.values(population.types).reduce((a, b) => a + b)).toBe(population.records)
  expect(course).toMatchObject({
    durability: { os: population.records },
    undecided: 0,
    gatewayVersions: ['0.1.0'],
    pluginOrders: [['audit', 'redact']],
    configs: [[{ file: 'gateway.yaml', digest: 'sha256:ab' }]],
    clockSteps: 0,
    late: 0,
    recovered: 0,
  })
})

test('a call that began in the period and was left open by its gateway is told of, though it was closed later', async () => {
  expect((await report()).course).toMatchObject({ open: [], unknown: 1 })
  expect((await report({ period: '2026-12' })).course).toMatchObject({ open: [], unknown: 0 })
  expect((await report({ tenant: 'umbrella' })).course).toMatchObject({ open: [], unknown: 0 })
})

test('the population is that of one tenant where one is named', async () => {
  const { population, sample } = await report({ tenant: 'umbrella' })
  expect(population).toMatchObject({
    records: 2,
    calls: { total: 1, outcomes: { timeout: 1 } },
    refusals: { total: 0 },
    administration: {},
    consumers: 1,
  })
  expect(sample.records.map(one => one.consumer)).toEqual(['agent-2'])
})

test('the sample is of what was done, is drawn again by its seed, and each of it is proven', async () => {
  const first = await report({ sample: '5' })
  expect(first.sample.seed).toBe(first.checkpoint!.root)
  expect(first.sample.of).toBe(12)
  expect(first.sample.records).toHaveLength(5)
  const again = await report({ sample: '5', seed: first.sample.seed })
  expect(again.sample).toEqual(first.sample)
  const ids = new Set((await report({ sample: '5', seed: 'another' })).sample.records.map(one => one.id))
  expect(ids).not.toEqual(new Set(first.sample.records.map(one => one.id)))
  for (const { id, type } of first.sample.records) {
    expect(type).not.toBe('intent')
    expect(await runCommand(dir, 'audit prove', {}, { args: [id] })).toMatchObject({ code: 0 })
  }
})

test('of the newest checkpoint it says where it is kept, as far as that can be seen from here', async () => {
  const anchors = [{ file: 'anchor.txt' }, { file: 'november.txt' }, { file: 'none.txt' }, { webhook: 'https://siem.example/a?token=b' }]
  const { checkpoint } = await report({}, { anchors })
  expect(checkpoint).toMatchObject({
    at: '2026-12-01T00:00:00.000Z',
    anchors: [
      { place: join(dir, 'anchor.txt'), state: 'anchored' },
      { place: join(dir, 'november.txt'), state: 'not anchored' },
      { place: join(dir, 'none.txt'), state: 'unreadable' },
      { place: 'https://siem.example/a', state: 'unknown' },
    ],
  })
})

test('a changed record breaks it, and what can be read is counted all the same', async () => {
  const copy = tempDir()
  for (const name of ['audit.db', 'audit.db-wal', 'audit.db.key', 'audit.db.verifier', 'anchor.txt'])
    if (existsSync(join(dir, name))) writeFileSync(join(copy, name), readFileSync(join(dir, name)), { mode: 0o600 })
  const db = createStores({ dataDir: copy }).open('audit.db')
  db.prepare("UPDATE record SET body = replace(body, 'tool-error', 'answered') WHERE type = 'outcome'").run()
  db.close()
  const ran = await run({ json: true, checkpoint: 'anchor.txt' }, copy)
  const { completeness, population } = JSON.parse(ran.out) as Report
  expect([ran.code, completeness]).toMatchObject([
    1,
    { verdict: 'broken', period: 'broken', broken: expect.stringContaining('BROKEN at record') as string },
  ])
  expect(population.calls.outcomes).toEqual({ answered: 7, timeout: 1 })
})

test('what cannot be understood is a usage error, what cannot be read is 3, and no file is written over', async () => {
  for (const options of [{ period: '2026' }, { sample: '-1' }, { sample: 'x' }, { format: 'xml' }, { checkpoint: 'none' }] as Record<
    string,
    string
  >[])
    expect(await run(options)).toMatchObject({ code: 2, out: '' })
  expect(await run({}, tempDir())).toMatchObject({ code: 3, out: '' })
  expect(await run({ out: 'report.md', format: 'markdown' })).toMatchObject({ code: 4, out: '' })
  expect(readFileSync(join(dir, 'report.md'), 'utf8')).toContain('## Completeness: not proven\n')
  expect(statSync(join(dir, 'report.md')).mode & 0o777).toBe(0o600)
  expect(await run({ out: 'report.md' })).toMatchObject({ code: 3, err: expect.stringContaining('is there already') as string })
})

test('nothing is told before the read is on record, neither here nor in a file', async () => {
  const events: unknown[] = []
  const record = (isRecorded: boolean) => async (event: unknown) => events.push(event) > 0 && isRecorded
  const options = { period: '2026-11', out: 'unrecorded.txt' }
  expect(await runCommand(dir, 'audit report', options, { record: record(false) })).toMatchObject({ code: 3, out: '' })
  expect(await runCommand(dir, 'audit report', { period: '2026-11' }, { record: record(false) })).toMatchObject({ code: 3, out: '' })
  expect(existsSync(join(dir, 'unrecorded.txt'))).toBe(false)
  await runCommand(dir, 'audit report', { period: '2026-11' }, { record: record(true) })
  expect(events).toHaveLength(3)
  expect(events[2]).toMatchObject({ type: 'log.read', detail: { command: 'audit report', options: { period: '2026-11' } } })
})

test.skipIf(server === undefined)('a log in PostgreSQL gives the same report, and the same rows', async () => {
  const [own, url] = [tempDir(), await createDatabase()]
  for (const time of ['2026-11-10T10:00', '2026-12-01T00:00']) {
    const gateway = await startGateway({
      dir: own,
      url,
      clock: { ...realClock, now: () => at(time) },
      config: { anchors: [{ file: 'anchor.txt' }], durability: 'full' },
    })
    await call(gateway, createExchange())
    await gateway.stop()
  }
  const ran = await runCommand(own, 'audit report', { period: '2026-11', checkpoint: 'anchor.txt', json: true }, { url })
  const { population, course, sample } = JSON.parse(ran.out) as Report
  expect([ran.code, population.calls, course.streams.length]).toEqual([0, { total: 1, outcomes: { answered: 1 } }, 1])
  const rows = parseCsv((await runCommand(own, 'audit export', { format: 'csv', until: '2026-11-30' }, { url })).out)
  expect(rows).toHaveLength(1 + population.records)
  expect(rows.map(([id]) => id)).toEqual(expect.arrayContaining(sample.records.map(one => one.id)))
})

describe('as people read it', () => {
  for (const { name, input, settle } of readGoldens(fileURLToPath(new URL('report-goldens', import.meta.url))))
    test(name, () => {
      const format = name.startsWith('markdown') ? 'markdown' : 'text'
      const written = formats[format](JSON.parse(input) as Report)
      expect(written).toBe(settle(written))
      for (const char of ['\u001b', '\u202e']) expect(written).not.toContain(char)
    })
})
