// However often something repeats itself, it is recorded at once and then once in ten seconds, and no count is lost.
import { expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../../core/testing/index.ts'
import { createRepeats, MAX_KEYS, type Repeats, WINDOW_MS } from '../../../plugins/audit/repeats.ts'

interface World {
  readonly clock: FakeClock
  readonly repeats: Repeats<string>
  /** What was recorded: a sample, or a sample and its count. */
  readonly written: string[]
  /** While false nothing can be recorded. */
  works: boolean
}

function start(): World {
  const clock = createFakeClock()
  const written: string[] = []
  const write = async (text: string): Promise<boolean> => {
    if (world.works) written.push(text)
    return world.works
  }
  const world: World = {
    clock,
    written,
    works: true,
    repeats: createRepeats<string>({
      clock,
      one: sample => write(sample),
      many: (sample = 'others', { count, firstAt, lastAt }) => write(`${sample} x${count} in ${lastAt - firstAt} ms`),
    }),
  }
  return world
}

test('the first is recorded at once, and what follows within ten seconds with one record', async () => {
  const { clock, repeats, written } = start()
  for (let i = 0; i < 5; i++) {
    repeats.take('a', 'A')
    await clock.advance(1000)
  }
  expect(written).toEqual(['A'])
  await clock.advance(WINDOW_MS)
  expect(written).toEqual(['A', 'A x4 in 3000 ms'])
})

test('what goes on and on has one record each ten seconds, with every one counted', async () => {
  const { clock, repeats, written } = start()
  for (let i = 0; i < 10_000; i++) {
    repeats.take('a', 'A')
    if (i % 100 === 99) await clock.advance(500)
  }
  await repeats.flush()
  expect(written).toHaveLength(1 + 5)
  expect(sum(written)).toBe(10_000)
})

test('after ten quiet seconds the next one is a first again, and no timer is left', async () => {
  const { clock, repeats, written } = start()
  repeats.take('a', 'A')
  await clock.advance(WINDOW_MS)
  expect(clock.timers).toBe(0)
  repeats.take('a', 'A')
  await clock.advance(0)
  expect(written).toEqual(['A', 'A'])
})

test('different ones do not count for each other, and each has its own ten seconds', async () => {
  const { clock, repeats, written } = start()
  repeats.take('a', 'A')
  await clock.advance(6000)
  repeats.take('b', 'B')
  repeats.take('a', 'A')
  repeats.take('b', 'B')
  await clock.advance(4000)
  expect(written).toEqual(['A', 'B', 'A x1 in 0 ms'])
  await clock.advance(6000)
  expect(written).toEqual(['A', 'B', 'A x1 in 0 ms', 'B x1 in 0 ms'])
})

test('kinds without number share one place: memory and records stay bounded, and all are counted', async () => {
  const { clock, repeats, written } = start()
  for (let i = 0; i < 50_000; i++) repeats.take(`source ${i}`, 'A')
  await clock.advance(0)
  expect(written).toHaveLength(MAX_KEYS + 1)
  await repeats.flush()
  expect(written).toHaveLength(MAX_KEYS + 2)
  expect(written.at(-1)).toBe(`others x${50_000 - MAX_KEYS - 1} in 0 ms`)
})

test('long keys that differ at their end are different', async () => {
  const { clock, repeats, written } = start()
  const long = 'x'.repeat(100_000)
  repeats.take(`${long}1`, 'A')
  repeats.take(`${long}2`, 'B')
  await clock.advance(0)
  expect(written).toEqual(['A', 'B'])
})

test('what cannot be recorded is counted, and told when it can', async () => {
  const world = start()
  const { clock, repeats, written } = world
  world.works = false
  for (let i = 0; i < 7; i++) {
    repeats.take('a', 'A')
    await clock.advance(5000)
  }
  expect(written).toEqual([])
  world.works = true
  await clock.advance(WINDOW_MS)
  expect(written).toEqual(['A x7 in 30000 ms'])
})

test('at the stop all counts are recorded, or it is known how many were not', async () => {
  const world = start()
  const { repeats, written, clock } = world
  for (const key of ['a', 'a', 'a', 'b', 'b']) repeats.take(key, key)
  await clock.advance(0)
  expect(await repeats.flush()).toBe(0)
  expect(written).toEqual(['a', 'b', 'a x2 in 0 ms', 'b x1 in 0 ms'])
  expect(clock.timers).toBe(0)
  for (const key of ['a', 'a', 'a']) repeats.take(key, key)
  await clock.advance(0)
  world.works = false
  expect(await repeats.flush()).toBe(2)
})

function sum(written: readonly string[]): number {
  return written.reduce((all, one) => all + Number(/ x(\d+) /.exec(one)?.[1] ?? 1), 0)
}
