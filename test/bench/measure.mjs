// The timed loops: one call after the other, and many at once for a fixed time.
import { checkAnswer } from './messages.mjs'
import { percentile } from './statistics.mjs'

/**
 * @typedef {object} Sample what one window of calls gave
 * @property {number} calls
 * @property {number} perSecond
 * @property {number} p50 ms
 * @property {number} p99 ms
 */

/**
 * Calls from `concurrent` loops, each waiting for its answer before it sends again.
 * @param {import('./http-client.mjs').Client} client
 * @param {import('./messages.mjs').Call} call
 * @param {number} concurrent
 * @param {number} windowMs no call begins after it
 * @returns {Promise<Sample>}
 */
export async function measureCalls(client, call, concurrent, windowMs) {
  /** @type {number[]} */
  const times = []
  const start = performance.now()
  const end = start + windowMs
  const loop = async () => {
    for (let sent = performance.now(); sent < end; ) {
      checkAnswer(await client.request('tools/call', call.params), call)
      const now = performance.now()
      times.push(now - sent)
      sent = now
    }
  }
  await Promise.all(Array.from({ length: concurrent }, loop))
  const seconds = (performance.now() - start) / 1000
  return { calls: times.length, perSecond: times.length / seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}

/** What a server does from its first hour on is to be measured, and V8 takes its time: before so many calls a gateway needs several times the CPU for one. */
const WARM_CALLS = 20_000
const WARM_AT_ONCE = 64

/**
 * Calls whose time nobody takes.
 * @param {import('./http-client.mjs').Client} client
 * @param {import('./messages.mjs').Call} call
 * @param {number} [share] of the usual number
 */
export async function warmUp(client, call, share = 1) {
  let left = Math.ceil(WARM_CALLS * share)
  const loop = async () => {
    while (left-- > 0) checkAnswer(await client.request('tools/call', call.params), call)
  }
  await Promise.all(Array.from({ length: WARM_AT_ONCE }, loop))
}

/**
 * @param {number} times
 * @param {() => Promise<unknown>} action
 * @returns {Promise<number[]>} ms of each
 */
export async function timeEach(times, action) {
  const taken = []
  for (let count = 0; count < times; count++) {
    const start = performance.now()
    await action()
    taken.push(performance.now() - start)
  }
  return taken
}
