// What a collector says to the records it is sent: what it rejects for good is passed over and told, everything else comes again.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readProgress } from '../../../../plugins/audit/exports/progress.ts'
import { call, createExchange, type Gateway, readRows, realClock, startGateway } from '../gateway.ts'
import { good, type LogRecord, rejecting, startCollector } from './collector.ts'
import { WITHIN } from './receiver.ts'

/** Waits are a hundredth of what they are, and noted. */
function quickClock() {
  const waits: number[] = []
  const after = (ms: number, run: () => void): (() => void) => {
    waits.push(ms)
    return realClock.after(ms === 3000 ? ms : ms / 100, run)
  }
  return { clock: { ...realClock, after }, waits }
}
const start = (url: string, more: Record<string, unknown> = {}, clock = quickClock().clock): Promise<Gateway> =>
  startGateway({ clock, config: { exports: [{ name: 'siem', otlp: url, ...more }] } })
const idOf = ({ attributes }: LogRecord): string => attributes.find(({ key }) => key === 'mcpgw.id')!.value.stringValue!
const keysOf = ({ attributes }: LogRecord): string[] => attributes.map(({ key }) => key)
const stateOf = ({ dir }: Gateway) => readProgress(readFileSync(join(dir, 'audit.db.export-siem'), 'utf8'))
const rejections = ({ dir }: Gateway) =>
  readRows(dir)
    .filter(({ type }) => type === 'export.rejected')
    .map(({ body }) => JSON.parse(body) as { success: boolean; detail: Record<string, unknown> })
const hasCall = (records: readonly LogRecord[]): boolean => records.some(({ eventName }) => eventName === 'mcpgw.audit.intent')

describe('what a collector rejects of a batch', () => {
  test('is sent once, counted and on record, without what it says of it; the rest goes on, and health tells it until all is taken again', async () => {
    const collector = await startCollector()
    let isPicky = true
    collector.behave(records => (isPicky && hasCall(records) ? rejecting(1) : good))
    const gateway = await start(collector.url)
    await call(gateway, createExchange())
    await expect.poll(() => gateway.health?.why, WITHIN).toMatch(/export siem: 1 of records gw\.b\d+:\d+ to \d+ were rejected/)
    await expect.poll(() => rejections(gateway), WITHIN).toHaveLength(1)
    const batch = collector.got.find(hasCall)!
    const [first, last] = [batch[0]!, batch.at(-1)!].map(record => Number(idOf(record).split(':')[1]))
    expect(rejections(gateway)).toMatchObject([
      { success: false, detail: { export: 'siem', stream: idOf(batch[0]!).split(':')[0], from: first, to: last, rejected: 1 } },
    ])
    expect(gateway.metrics.get('export_rejected_total siem')).toBe(1)
    expect(gateway.metrics.get('export_failures_total siem')).toBeUndefined()
    await expect.poll(() => stateOf(gateway).rejected, WITHIN).toBe(1)
    isPicky = false
    await call(gateway, createExchange())
    await expect.poll(() => gateway.health?.why, WITHIN).not.toContain('export')
    await gateway.stop()
    const ids = collector.got.flat().map(idOf)
    expect(ids).toHaveLength(new Set(ids).size)
    const told = collector.got.flat().length - 1
    expect(gateway.metrics.get('export_records_total siem')).toBe(told)
    expect(gateway.logged.join('\n')).toMatch(/a receiver rejected records .*"count":1/)
    expect(`${gateway.logged.join()}${JSON.stringify(rejections(gateway))}`).not.toContain('not \\"agent-1')
  })

  test('leads to no end of records about it, though it takes none of those either', async () => {
    const collector = await startCollector()
    collector.behave(records => rejecting(records.length))
    const gateway = await start(collector.url)
    await call(gateway, createExchange())
    await expect.poll(() => collector.got.flat().some(({ eventName }) => eventName === 'mcpgw.audit.export.rejected'), WITHIN).toBe(true)
    const batches = collector.got.filter(records => !records.every(({ eventName }) => /export\.|checkpoint/.test(eventName))).length
    const seen = collector.got.length
    await call(gateway, createExchange())
    await expect.poll(() => collector.got.length, WITHIN).toBeGreaterThan(seen + 1)
    await gateway.stop()
    expect(rejections(gateway).length).toBeGreaterThanOrEqual(1)
    expect(rejections(gateway).length).toBeLessThanOrEqual(batches + 2)
  })
})

describe('a collector that takes nothing', () => {
  test.each([400, 401, 413, 500])(
    'with a no for ever (%i) keeps the cursor where it is, is asked once a minute, and health says so',
    async status => {
      const collector = await startCollector()
      collector.behave(() => ({ status, headers: { 'retry-after': '1' } }))
      const { clock, waits } = quickClock()
      const gateway = await start(collector.url, {}, clock)
      await expect
        .poll(() => gateway.health?.why, WITHIN)
        .toContain(`export siem: answered ${status}: it does not take these records as they are`)
      await expect.poll(() => collector.got.length, WITHIN).toBeGreaterThan(1)
      expect(waits).toContain(60_000)
      expect(new Set(collector.got.map(records => records.map(idOf).join())).size).toBe(1)
      expect(stateOf(gateway)).toMatchObject({
        cursor: undefined,
        records: 0,
        failing: { why: expect.stringContaining(`${status}`) as string },
      })
      collector.behave(() => good)
      await expect.poll(() => gateway.health?.why, WITHIN).not.toContain('export')
      await expect.poll(() => stateOf(gateway), WITHIN).toMatchObject({ failing: undefined, rejected: 0 })
      await gateway.stop()
      const taken = collector.got.flat().filter(({ eventName }) => eventName !== 'mcpgw.audit.audit.checkpoint')
      expect([...new Set(taken.map(idOf))]).toEqual(readRows(gateway.dir).map(({ stream, seq }) => `${String(stream)}:${String(seq)}`))
    },
  )

  test.each([
    [429, '7', 7000],
    [503, '5', 5000],
    [503, '999999999', 600_000],
    [502, 'soon', undefined],
    [504, '-4', undefined],
  ])(
    'for now (%i, Retry-After: %s) is asked again no earlier than it says, and after ten minutes at the latest',
    async (status, after, wait) => {
      const collector = await startCollector()
      let isFirst = true
      collector.behave(() => {
        const answer = isFirst ? { status, headers: { 'retry-after': after } } : good
        isFirst = false
        return answer
      })
      const { clock, waits } = quickClock()
      const gateway = await start(collector.url, {}, clock)
      await expect.poll(() => gateway.logged.join('\n'), WITHIN).toContain(`"why":"answered ${status}"`)
      if (wait === undefined) await expect.poll(() => collector.got.length, WITHIN).toBeGreaterThan(1)
      else expect(waits).toContain(wait)
      await gateway.stop()
    },
  )

  test('but gives a date is asked again then', async () => {
    const collector = await startCollector()
    const until = new Date(Date.now() + 90_000)
    collector.behave(() => ({ status: 503, headers: { 'retry-after': until.toUTCString() } }))
    const { clock, waits } = quickClock()
    const gateway = await start(collector.url, {}, clock)
    await expect.poll(() => waits.some(ms => ms > 80_000 && ms <= 90_000), WITHIN).toBe(true)
    await gateway.stop()
  })
})

test('in the form of evidence goes what is stored, and nothing that was sealed', async () => {
  const collector = await startCollector()
  const gateway = await start(collector.url, { form: 'evidence' })
  await call(gateway, createExchange())
  await gateway.stop()
  const records = collector.got.flat()
  const intent = records.find(({ eventName }) => eventName === 'mcpgw.audit.intent')!
  expect(keysOf(intent)).not.toContain('client.address')
  expect(JSON.stringify(records)).not.toMatch(/agent-1|127\.0\.0\.1/)
  const stored = new Map(readRows(gateway.dir).map(({ stream, seq, body }) => [`${String(stream)}:${String(seq)}`, body]))
  expect((JSON.parse(intent.body.stringValue) as { body: string }).body).toBe(stored.get(idOf(intent)))
})
