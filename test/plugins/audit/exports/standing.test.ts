// `audit exports`: what it tells of exports that go well, fail, have not begun, or cannot go on; in both stores, and beside a gateway.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../../../core/store/index.ts'
import { leafOf, linkLeaf } from '../../../../plugins/audit/chain.ts'
import { type Progress, placeOf, writeProgress } from '../../../../plugins/audit/exports/progress.ts'
import { openStream, ROWS } from '../../../../plugins/audit/store/log-store.ts'
import { openStore } from '../../../../plugins/audit/store/open.ts'
import { createDatabase, server } from '../../../postgres/server.ts'
import { call, createExchange, parseConfig, readRows, realClock, runCommand, startGateway, tempDir } from '../gateway.ts'
import { expectGolden } from './golden.ts'
import { startReceiver, WITHIN } from './receiver.ts'

const BEGIN = Date.UTC(2026, 10, 28, 12)
const exports = [
  { name: 'done', file: '/var/log/mcpgw/audit.jsonl' },
  { name: 'behind', webhook: 'https://siem.example/mcpgw?token=hidden', headers: { authorization: 'hidden' } },
  { name: 'failing', otlp: 'https://collector.example:4318/v1/logs' },
  { name: 'new', syslog: 'tls://logs.example' },
  { name: 'damaged', webhook: 'https://other.example/' },
  { name: 'elsewhere', webhook: 'https://third.example/' },
]

/** A log of two streams, and what exports have kept of how far they are. */
async function prepare(dir: string, url: string | undefined): Promise<void> {
  const store = openStore(createStores({ dataDir: dir, url }), await parseConfig({ durability: 'os' }))
  let prev = '0'.repeat(64)
  let at = BEGIN
  for (const name of ['a', 'b']) {
    const writer = await store.writer(name)
    const rows = [1, 2, 3].map(seq => {
      const body = `{"seq":${seq}}`
      const hash = linkLeaf(prev, leafOf(`\0${body}`))
      const params = [name, seq, at, 'x', '', prev, hash, body]
      prev = hash
      at += 60_000
      return { sql: ROWS.record, params }
    })
    await writer.append([...rows, openStream(name)])
    await writer.close()
  }
  const reader = await store.reader()
  const cursors: string[] = []
  const places: Progress['last'][] = []
  for await (const page of reader.forward(new AbortController().signal))
    for (const record of page.records) {
      cursors.push(page.cursorBehind(record))
      places.push(placeOf(record))
    }
  await reader.close()
  const after = (count: number): Progress => ({
    cursor: cursors[count - 1],
    last: places[count - 1],
    at: BEGIN + 500_000,
    records: count,
    rejected: 0,
    failing: undefined,
  })
  const states: Readonly<Record<string, string>> = {
    done: writeProgress(after(6)),
    behind: writeProgress({ ...after(2), rejected: 1 }),
    failing: writeProgress({
      cursor: undefined,
      last: undefined,
      at: 0,
      records: 0,
      rejected: 0,
      failing: { since: BEGIN + 600_000, why: 'answered 400' },
    }),
    damaged: '{}',
    elsewhere: writeProgress({ ...after(3), last: { ...places[2]!, hash: '00' } }),
  }
  for (const [name, state] of Object.entries(states)) {
    const place = (await store.exportPlace(name))!
    await place.keep(state)
    await place.close()
  }
  await store.close()
}

describe.each(['sqlite', 'postgres'] as const)('audit exports, with a log in %s,', kind => {
  test.skipIf(kind === 'postgres' && server === undefined)(
    'tells of each how far it is and what ails it, as text and as JSON',
    async () => {
      const dir = tempDir()
      const url = kind === 'postgres' ? await createDatabase() : undefined
      await prepare(dir, url)
      for (const json of [false, true]) {
        const ran = await runCommand(dir, 'audit exports', { ...(json && { json }) }, { url, now: BEGIN + 4_000_000, config: { exports } })
        expect(ran).toMatchObject({ code: 1, err: '' })
        expect(ran.out).not.toContain('hidden')
        expectGolden(`standing-${kind}.${json ? 'json' : 'text'}`, ran.out)
      }
      const good = await runCommand(dir, 'audit exports', {}, { url, config: { exports: exports.slice(0, 2) } })
      expect(good.code).toBe(0)
    },
  )
})

test('where there is no log it says so and exits with 3; without exports there is nothing to tell', async () => {
  const dir = tempDir()
  expect(await runCommand(dir, 'audit exports', {}, { config: { exports } })).toMatchObject({ code: 3, out: '' })
  await prepare(dir, undefined)
  expect(await runCommand(dir, 'audit exports')).toEqual({ code: 0, out: 'no exports are configured\n', err: '' })
  expect(JSON.parse((await runCommand(dir, 'audit exports', { json: true })).out)).toEqual({ exports: [] })
})

test('a bucket is named by where it is, without what opens it', async () => {
  const dir = tempDir()
  await prepare(dir, undefined)
  const s3 = { s3: 's3://acme-audit/mcpgw/', region: 'eu-central-1', accessKeyId: 'hidden-id', secretAccessKey: 'hidden-secret' }
  const { code, out } = await runCommand(dir, 'audit exports', { json: true }, { config: { exports: [s3] } })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ exports: [{ name: 's3', to: 's3://acme-audit/mcpgw/' }] })
  expect(out).not.toContain('hidden')
})

test('beside a gateway whose receiver fails it says why and what waits, then that all is sent; it puts nothing on record', async () => {
  const receiver = await startReceiver()
  receiver.behave('error')
  const clock = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
  const config = { exports: [{ name: 'siem', webhook: receiver.url }] }
  const gateway = await startGateway({ clock, config })
  await call(gateway, createExchange())
  const look = async () => {
    const record = (): Promise<boolean> => Promise.reject(new Error('this is no read'))
    const { code, out } = await runCommand(gateway.dir, 'audit exports', { json: true }, { config, record })
    return { code, ...(JSON.parse(out) as { exports: Record<string, unknown>[] }).exports[0]! }
  }
  await expect.poll(look, WITHIN).toMatchObject({ code: 1, sent: 0, cursor: null, lastSuccess: null, failing: { why: 'answered 500' } })
  expect(await look()).toMatchObject({ behind: expect.any(Number), oldest: { ageMs: expect.any(Number) as number } })
  receiver.behave('good')
  await expect.poll(look, WITHIN).toMatchObject({ code: 0, failing: null })
  await gateway.stop()
  const { length } = receiver.records()
  expect(await look()).toMatchObject({ behind: 0, oldest: null, last: { seq: expect.any(Number) as number } })
  expect(receiver.records()).toHaveLength(length)
  expect(readRows(gateway.dir).some(({ type }) => type === 'log.read')).toBe(false)
  // What somebody cut off is no place to go on from.
  const path = join(gateway.dir, 'audit.db.export-siem')
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 20))
  expect(await look()).toMatchObject({ code: 1, behind: null, failing: { since: null, why: expect.stringContaining('how far') as string } })
})
