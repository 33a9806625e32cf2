// What servers can do is asked before a client is told of it; one that is slow to start holds nobody up for long.
import { laneOwner } from '../credentials/voice.ts'
import type { Clock, Principal } from '../plugin/index.ts'
import type { LanePool } from '../upstream/pool.ts'
import type { View } from './view.ts'

const PATIENCE_MS = 2000

/** Waits for servers that have not been heard of yet. */
export function createLearn(pool: LanePool, clock: Clock): (view: View, principal: Principal | undefined) => Promise<void> {
  return async (view, principal) => {
    const unknown = view.servers.filter(server => pool.known(server, laneOwner(server, principal)) === undefined)
    const probing = unknown.map(server => pool.probe([server], laneOwner(server, principal)))
    if (unknown.length > 0) await forAWhile(clock, Promise.all(probing))
  }
}

/** Resolves when the work is done, or the patience is at its end; the work goes on. */
export async function forAWhile(clock: Clock, work: Promise<unknown>): Promise<void> {
  await new Promise<void>(resolve => {
    const stop = clock.after(PATIENCE_MS, resolve)
    void work.finally(() => {
      stop()
      resolve()
    })
  })
}
