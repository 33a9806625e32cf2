// Old usage is forgotten, but never before whoever bills it has it; what is held back is told.
import { createFakeClock, createTemporaryStores, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import audit from '../../../plugins/audit/index.ts'
import { createForgetting } from '../../../plugins/meter/forgetting.ts'
import meter from '../../../plugins/meter/index.ts'
import { type ChangesCursor, NOTHING } from '../../../plugins/meter/store/changes.ts'
import stripe from '../../../plugins/stripe/index.ts'
import { NOON } from './fake-log.ts'

const DAY = 86_400_000

function world(keep: number | undefined) {
  const clock = createFakeClock(NOON)
  const asked: { readonly endedBy: number; readonly consumers: Record<string, ChangesCursor> }[] = []
  const told: (string | undefined)[] = []
  let left = new Map<string, number>()
  const forgetting = createForgetting({
    clock,
    keep,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onHeld: why => told.push(why),
    store: {
      async forget(endedBy, consumers) {
        asked.push({ endedBy, consumers: Object.fromEntries(consumers) })
        return left
      },
    },
  })
  const hold = (rows: Record<string, number>): void => {
    left = new Map(Object.entries(rows))
  }
  return { clock, asked, told, forgetting, hold }
}

test('each hour what is older than `keep` goes, but for what a consumer has not taken yet', async () => {
  const { clock, asked, forgetting } = world(3)
  const taken = forgetting.hold('stripe', DAY)
  forgetting.start()
  await clock.advance(0)
  expect(asked).toEqual([{ endedBy: NOON - 3 * DAY, consumers: { stripe: NOTHING } }])
  taken(`5 ${NOON - DAY}`)
  await clock.advance(DAY / 24)
  expect(asked.slice(1)).toEqual([{ endedBy: NOON - 3 * DAY + DAY / 24, consumers: { stripe: { change: 5, endedBy: NOON - DAY } } }])
  forgetting.stop()
  await clock.advance(DAY)
  expect(asked).toHaveLength(2)
})

test('what stays held back is told, with who has not taken it, and no more once it goes', async () => {
  const { clock, told, forgetting, hold } = world(3)
  forgetting.hold('stripe', DAY)
  hold({ stripe: 7 })
  forgetting.start()
  await clock.advance(0)
  // What was counted a moment ago is no trouble.
  expect(told).toEqual([undefined])
  await clock.advance(300_000)
  expect(told.at(-1)).toBe('usage older than 3 days is kept, for stripe has not taken 7 rows of it')
  hold({})
  await clock.advance(300_000)
  expect(told.at(-1)).toBeUndefined()
})

test('without `keep` nothing is forgotten, and nobody can be too late', async () => {
  const { clock, asked, forgetting } = world(undefined)
  forgetting.hold('stripe', 1e12)
  forgetting.start()
  await clock.advance(DAY)
  expect(asked).toEqual([])
})

test('a gateway whose `keep` is no longer than the grace of stripe and a day does not start, and is told both', async () => {
  const start = (keep: number, grace: string) => {
    const stores = createTemporaryStores()
    onTestFinished(() => stores.remove())
    const plugins = [
      { plugin: audit, config: { durability: 'os' } },
      { plugin: meter, config: { keep } },
      { plugin: stripe, config: { dryRun: true, meters: [{ event: 'tool_calls' }], grace } },
    ]
    return harness({ plugins, stores })
  }
  await expect(start(1, '10m')).rejects.toThrow('keep of meter: expected more than 2 days, for stripe may take usage so late; found 1')
  await expect(start(3, '72h')).rejects.toThrow('keep of meter: expected more than 4 days')
  const gateway = await start(3, '10m')
  await gateway.stop()
})
