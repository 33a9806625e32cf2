// One target tried without end, in a thread of its own: what hangs there can be told from outside, and ended.
import { parentPort, workerData } from 'node:worker_threads'
import { tryBatch } from './batch.ts'
import { targets } from './targets.ts'

export interface Work {
  readonly target: string
  readonly seed: number
  /** How many inputs of the batch were begun. */
  readonly begun: Int32Array
}
export type Told =
  | { readonly kind: 'begun'; readonly law: string; readonly seed: number }
  | {
      readonly kind: 'done'
      readonly law: string
      readonly inputs: number
      readonly found?: { readonly file: string; readonly why: string }
    }

const { target, seed: first, begun } = workerData as Work
const tell = (told: Told): void => parentPort!.postMessage(told)
/** One that was broken is not tried again: the same defect would be found for ever. */
const sound = new Map(Object.entries(await targets[target]!()))

for (let seed = first; sound.size > 0; seed++)
  for (const [name, law] of sound) {
    Atomics.store(begun, 0, 0)
    tell({ kind: 'begun', law: name, seed })
    const tried = await tryBatch({ target, law: name, seed }, law, () => void Atomics.add(begun, 0, 1))
    tell({ kind: 'done', law: name, ...tried })
    if (tried.found) sound.delete(name)
  }
