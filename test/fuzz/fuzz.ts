// Digs at several targets side by side, looks whether each still moves, and ends them together.
import { Worker } from 'node:worker_threads'
import { inputAt } from './batch.ts'
import { keep } from './corpus.ts'
import type { Told, Work } from './digging.ts'
import { targets } from './targets.ts'

export interface Outcome {
  readonly name: string
  readonly inputs: number
  readonly found: readonly { readonly law: string; readonly file: string }[]
}
export interface Fuzzing {
  readonly names: readonly string[]
  readonly seed: number
  readonly until: AbortSignal
  readonly say: (line: string) => void
  /** For tests. */
  readonly lookMs?: number
}

const LOOK_MS = 10_000
/** An input is given up after as many looks without a next one: a minute is long even on a machine that is busy. */
const LOOKS = 6

/** Resolves when `until` is aborted, or each target has nothing left that holds. */
export async function fuzz({ names, seed, until, say, lookMs = LOOK_MS }: Fuzzing): Promise<readonly Outcome[]> {
  const digs = names.map(name => dig(name, seed, say))
  const looking = setInterval(() => {
    for (const one of digs) void one.look()
    say(
      digs
        .map(({ outcome: { name, inputs, found } }) => `${name} ${inputs}${found.length > 0 ? ` (${found.length} found)` : ''}`)
        .join(', '),
    )
  }, lookMs)
  const aborted = new Promise<void>(resolve => until.addEventListener('abort', () => resolve(), { once: true }))
  try {
    await Promise.race([aborted, Promise.all(digs.map(({ ended }) => ended))])
  } finally {
    clearInterval(looking)
    await Promise.all(digs.map(({ end }) => end()))
  }
  return digs.map(({ outcome }) => outcome)
}

function dig(name: string, seed: number, say: (line: string) => void) {
  const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(new URL('digging.ts', import.meta.url), { workerData: { target: name, seed, begun } satisfies Work })
  const outcome = { name, inputs: 0, found: [] as { law: string; file: string }[] }
  let now: { law: string; seed: number } | undefined
  let [last, still] = ['', 0]

  const add = (law: string, file: string, why: string): void => {
    outcome.found.push({ law, file })
    say(`${name}: ${law} is broken, see ${file}\n${why}`)
  }
  worker.on('message', (told: Told) => {
    if (told.kind === 'begun') now = told
    else outcome.inputs += told.inputs
    if (told.kind === 'done' && told.found) add(told.law, told.found.file, told.found.why)
  })
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => resolve())
    // A law throws where it is broken, and that is caught: this is what nobody awaited.
    worker.once('error', error => reject(new Error(`${name}: ${now?.law} with seed ${now?.seed} ended the thread`, { cause: error })))
  })
  return {
    outcome,
    ended,
    end: () => worker.terminate(),
    async look(): Promise<void> {
      const at = `${now?.law} ${now?.seed} ${Atomics.load(begun, 0)}`
      still = at === last ? still + 1 : 0
      last = at
      if (still < LOOKS || now === undefined) return
      const { law, seed: from } = now
      now = undefined
      void worker.terminate()
      const input = Atomics.load(begun, 0)
      const file = keep(name, law, inputAt((await targets[name]!())[law]!, from, input - 1))
      add(law, file, `nothing moves any more with seed ${from}, input ${input} of the batch`)
    },
  }
}
