// A batch: so many inputs of one law, from one seed; what breaks it is made small and kept.
import fc from 'fast-check'
import { keep } from './corpus.ts'
import type { Law } from './law.ts'

export const BATCH = 200

export interface Batch {
  readonly target: string
  readonly law: string
  readonly seed: number
  /** Where what is found is kept. Default: the corpus of the tests. */
  readonly corpus?: string
}

export interface Tried {
  readonly inputs: number
  readonly found?: { readonly file: string; readonly why: string }
}

/** `before` is called with each input, those by which it is made smaller too. */
export async function tryBatch<T>(
  { target, law, seed, corpus }: Batch,
  { input, holds }: Law<T>,
  before: (one: T) => void = () => {},
): Promise<Tried> {
  const property = fc.asyncProperty(input, async one => {
    before(one)
    await holds(one)
  })
  const { failed, numRuns, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: BATCH })
  if (!failed) return { inputs: numRuns }
  return { inputs: numRuns, found: { file: keep(target, law, counterexample?.[0], corpus), why: String(errorInstance) } }
}

/** The input at this place of a batch, counted from 0; undefined where there is none: it was made from another. */
export function inputAt<T>({ input }: Law<T>, seed: number, at: number): T | undefined {
  return at < BATCH ? fc.sample(input, { seed, numRuns: at + 1 })[at] : undefined
}
