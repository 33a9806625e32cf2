// Equal calls at once: the first goes to the server, the others wait for its answer, and no longer than they were told to.
import type { Clock, Exchange } from 'mcpgw/plugin'
import type { Keys } from './key.ts'

export interface Flights {
  /** This call goes; where an equal one is under way, nobody waits for this one. */
  begin(x: Exchange, keys: Keys): void
  /** Resolves when the one under way has ended, or the time has passed; undefined where there is none. */
  wait(keys: Keys, ms: number): Promise<void> | undefined
  end(x: Exchange): void
}

interface Flight {
  readonly key: string
  readonly ended: Set<() => void>
}

export function createFlights(clock: Clock): Flights {
  const byKey = new Map<string, Flight>()
  const byCall = new WeakMap<Exchange, Flight>()
  const keyOf = ({ shared, own }: Keys): string => shared ?? own
  return {
    begin(x, keys) {
      const key = keyOf(keys)
      if (byKey.has(key)) return
      const flight = { key, ended: new Set<() => void>() }
      byKey.set(key, flight)
      byCall.set(x, flight)
    },
    wait(keys, ms) {
      const flight = byKey.get(keyOf(keys))
      if (flight === undefined) return undefined
      return new Promise(resolve => {
        const end = (): void => {
          flight.ended.delete(end)
          cancel()
          resolve()
        }
        const cancel = clock.after(ms, end)
        flight.ended.add(end)
      })
    },
    end(x) {
      const flight = byCall.get(x)
      if (flight === undefined) return
      byKey.delete(flight.key)
      for (const end of flight.ended) end()
    },
  }
}
