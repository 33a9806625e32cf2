// When a Redis server counts as silent: by what this process could have heard, not by a clock that runs while it is held up.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createWatchdog, type Watchdog } from '../../../core/store/redis/watchdog.ts'

let silent: number[]
let watchdog: Watchdog
beforeEach(() => {
  vi.useFakeTimers()
  silent = []
  watchdog = createWatchdog(ms => silent.push(ms))
})
afterEach(() => vi.useRealTimers())
const wait = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

test('a command without an answer is given up after 200 ms, once; nothing is while nothing waits', async () => {
  await wait(10_000)
  watchdog.sent()
  watchdog.answered()
  await wait(10_000)
  watchdog.sent()
  watchdog.sent()
  await wait(190)
  expect(silent).toEqual([])
  await wait(30)
  expect(silent).toEqual([200])
  watchdog.sent()
  await wait(10_000)
  expect(silent).toEqual([200])
})

test('an answer to another command is a sign of life, but no command waits for longer than 800 ms', async () => {
  for (let i = 0; i < 20; i++) watchdog.sent()
  for (let i = 0; i < 10; i++) {
    await wait(150)
    watchdog.answered()
    watchdog.sent()
  }
  expect(silent).toEqual([800])
})

test('steady answers, each in time, are never silence', async () => {
  watchdog.sent()
  for (let i = 0; i < 50; i++) {
    watchdog.sent()
    await wait(150)
    watchdog.answered()
  }
  expect(silent).toEqual([])
})

test('one that is stopped tells nothing', async () => {
  watchdog.sent()
  watchdog.stop()
  await wait(10_000)
  expect(silent).toEqual([])
})
