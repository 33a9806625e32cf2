// Redis behind the port: connected or known not to be, never in between; while it is gone nothing waits for it. The driver is loaded by the first use.
import { hash } from 'node:crypto'
import type { Redis, RedisReply, RedisState } from '../../plugin/store.ts'
import { StoreFault } from '../fault.ts'
import { nameRedis } from './address.ts'
import { type Connection, connect } from './connection.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000
/** Whoever stays for less long is no better than one that is not there. */
const SOUND_MS = 10_000

export function openRedis(url: string): Redis {
  const name = nameRedis(url)
  const watchers: ((state: RedisState) => void)[] = []
  const digests = new Map<string, string>()
  let state: RedisState = Object.freeze({ isUp: false, since: Date.now(), why: 'not connected yet' })
  let live: Connection | undefined
  let first: Promise<void> | undefined
  let liveSince = 0
  let waitMs = FIRST_WAIT_MS
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function become(isUp: boolean, why: string | undefined): void {
    const hasChanged = state.isUp !== isUp
    state = Object.freeze({ isUp, since: hasChanged ? Date.now() : state.since, ...(why !== undefined && { why }) })
    if (hasChanged) for (const tell of watchers) tell(state)
  }

  async function tryOnce(): Promise<void> {
    try {
      const made = await connect(url, why => {
        live = undefined
        if (performance.now() - liveSince > SOUND_MS) waitMs = FIRST_WAIT_MS
        become(false, why)
        again()
      })
      if (closed) return await made.close()
      live = made
      liveSince = performance.now()
      become(true, undefined)
    } catch (error) {
      become(false, (error as Error).message)
      again()
    }
  }

  function again(): void {
    if (closed) return
    timer = setTimeout(() => void tryOnce(), waitMs)
    timer.unref()
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
  }

  function digestOf(script: string): string {
    let digest = digests.get(script)
    if (digest === undefined) {
      digest = hash('sha1', script, 'hex')
      digests.set(script, digest)
    }
    return digest
  }

  return {
    name,
    get state() {
      return state
    },
    watch: tell => void watchers.push(tell),
    connect: () => (first ??= tryOnce()),
    async run(script, keys, args) {
      const words = [String(keys.length), ...keys, ...args.map(String)]
      try {
        if (live === undefined) throw new Error(state.why)
        const there = live
        return (await there.send(['EVALSHA', digestOf(script), ...words]).catch(error => {
          if (!/^NOSCRIPT\b/.test((error as Error).message)) throw error
          return there.send(['EVAL', script, ...words])
        })) as RedisReply
      } catch (error) {
        throw new StoreFault('store-unreadable', `${name}: ${(error as Error).message}`, error)
      }
    },
    async close() {
      closed = true
      // Whoever closes it knows.
      watchers.length = 0
      clearTimeout(timer)
      const last = live
      live = undefined
      become(false, 'closed')
      await last?.close()
    },
  }
}
