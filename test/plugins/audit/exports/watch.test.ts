// What the metrics say of an export that works, fails and recovers; and that no step of a clock leaves a record out, sends one twice, or makes a lag negative.
import { expect, test } from 'vitest'
import { call, createExchange, type GatewayOptions, readRows, realClock, startGateway } from '../gateway.ts'
import { startReceiver, WITHIN } from './receiver.ts'

const quick = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
const start = (url: string, more: GatewayOptions = {}) =>
  startGateway({ clock: quick, config: { exports: [{ name: 'siem', webhook: url }] }, ...more })

test('records, failures and lag: counted while it fails, nothing left of the lag once it works', async () => {
  const receiver = await startReceiver()
  const gateway = await start(receiver.url)
  const of = (name: string): number | undefined => gateway.metrics.get(`export_${name} siem`)
  await call(gateway, createExchange())
  await expect.poll(() => receiver.records().some(({ type }) => type === 'outcome'), WITHIN).toBe(true)
  await expect.poll(() => of('lag_records'), WITHIN).toBe(0)
  expect(of('failures_total')).toBeUndefined()
  receiver.behave('error')
  for (let n = 0; n < 3; n++) await call(gateway, createExchange())
  await expect.poll(() => of('failures_total'), WITHIN).toBeGreaterThan(2)
  await expect.poll(() => of('lag_records'), WITHIN).toBeGreaterThanOrEqual(6)
  const lag = of('lag_seconds')!
  expect(lag).toBeGreaterThan(0)
  await expect.poll(() => of('lag_seconds'), WITHIN).toBeGreaterThan(lag)
  receiver.behave('good')
  await expect.poll(() => [of('lag_records'), of('lag_seconds')], WITHIN).toEqual([0, 0])
  await gateway.stop()
  const taken = receiver.got.filter(one => one.acknowledged).flatMap(({ body }) => body.trimEnd().split('\n'))
  expect(of('records_total')).toBe(taken.length)
  const failed = receiver.got.length - receiver.got.filter(one => one.acknowledged).length
  expect(of('failures_total')).toBe(failed)
})

test('two exports have a series each, and one that fails does not hold up the other', async () => {
  const [good, bad] = [await startReceiver(), await startReceiver()]
  bad.behave('error')
  const exports = [
    { name: 'good', webhook: good.url },
    { name: 'bad', webhook: bad.url },
  ]
  const gateway = await startGateway({ clock: quick, config: { exports } })
  await call(gateway, createExchange())
  await expect.poll(() => good.records().some(({ type }) => type === 'outcome'), WITHIN).toBe(true)
  await expect.poll(() => gateway.metrics.get('export_failures_total bad'), WITHIN).toBeGreaterThan(1)
  expect(gateway.metrics.get('export_failures_total good')).toBeUndefined()
  expect(gateway.metrics.get('export_records_total bad')).toBeUndefined()
  expect(gateway.health?.why).toMatch(/export bad: answered 500$/)
  await gateway.stop()
})

test.each([
  ['wall clock, a day ahead', 86_400_000, 0],
  ['wall clock, a day back', -86_400_000, 0],
  ['monotonic clock, an hour ahead', 0, 3_600_000],
])('a step of the %s, while it works and while it fails', async (_name, wall, mono) => {
  const receiver = await startReceiver()
  let isStepped = false
  const clock = {
    ...quick,
    now: () => realClock.now() + (isStepped ? wall : 0),
    mono: () => realClock.mono() + (isStepped ? mono : 0),
  }
  const lags: number[] = []
  const gateway = await start(receiver.url, { clock })
  const look = (): number => {
    const lag = gateway.metrics.get('export_lag_seconds siem') ?? 0
    lags.push(lag)
    return lag
  }
  await call(gateway, createExchange())
  await expect.poll(() => receiver.records().some(({ type }) => type === 'outcome'), WITHIN).toBe(true)
  receiver.behave('error')
  await call(gateway, createExchange())
  const before = receiver.got.length
  await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(before)
  isStepped = true
  await call(gateway, createExchange())
  const seen = receiver.got.length
  await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(seen + 1)
  // A record of before the step is as old as the clock now says, or new.
  if (wall > 0) await expect.poll(look, WITHIN).toBeGreaterThan(86_000)
  else if (wall < 0) await expect.poll(look, WITHIN).toBe(0)
  receiver.behave('good')
  await expect.poll(look, WITHIN).toBe(0)
  await call(gateway, createExchange())
  await gateway.stop()
  expect(lags.every(lag => lag >= 0)).toBe(true)
  const taken = receiver.got.filter(one => one.acknowledged).flatMap(({ body }) => body.trimEnd().split('\n'))
  const ids = taken
    .map(line => JSON.parse(line) as { id: string; type: string })
    .filter(({ type }) => type !== 'audit.checkpoint')
    .map(({ id }) => id)
  const rows = readRows(gateway.dir)
  expect(ids).toEqual(rows.map(({ stream, seq }) => `${String(stream)}:${String(seq)}`))
  expect(rows.some(({ type }) => type === 'clock.step')).toBe(true)
})
