// Lanes to servers that are not there any more, or not as they were: they take nothing new, and are closed when what is under way has ended.
import type { Clock, Log } from '../plugin/index.ts'
import type { Berth } from './berth.ts'
import type { Gate } from './gate.ts'

type Leaving = Pick<Berth, 'key' | 'lane'>

export interface Retired {
  /** All lanes of one server, with what stands before them. Resolves when they are closed; never rejects. */
  add(berths: readonly Leaving[], gates: readonly Pick<Gate, 'view'>[]): Promise<void>
  /** Those that are not closed yet. */
  all(): readonly Leaving[]
  /** Closes them whatever is under way. */
  close(): Promise<void>
}

const LOOK_MS = 250

export function createRetired(clock: Clock, log: Log): Retired {
  const leaving = new Map<readonly Leaving[], () => void>()

  async function end(berths: readonly Leaving[]): Promise<void> {
    leaving.delete(berths)
    const closed = await Promise.allSettled(berths.map(({ lane }) => lane.close()))
    for (const one of closed) if (one.status === 'rejected') log.warn('lane did not close', { error: String(one.reason) })
  }

  return {
    async add(berths, gates) {
      if (berths.length === 0) return
      // A call that was let in just before shows up a little later. Each has time limits, so that this ends.
      const isQuiet = (): boolean =>
        !berths.some(({ lane }) => lane.isBusy) && gates.every(({ view: { underWay, waiting } }) => underWay + waiting === 0)
      await new Promise<void>(resolve => {
        const look = (): void => {
          if (isQuiet()) return resolve()
          wait()
        }
        const wait = (): void => {
          const stop = clock.after(LOOK_MS, look)
          leaving.set(berths, () => {
            stop()
            resolve()
          })
        }
        wait()
      })
      await end(berths)
    },
    all: () => [...leaving.keys()].flat(),
    async close() {
      const all = [...leaving]
      for (const [, letGo] of all) letGo()
      await Promise.all(all.map(([berths]) => end(berths)))
    },
  }
}
