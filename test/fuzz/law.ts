// A law: what holds for any input at all. Tests of a part try a few inputs of each, `npm run fuzz` goes on for as long as it is let.
import fc from 'fast-check'

export interface Law<T> {
  /** Of values that JSON text holds without loss: what is found is kept as a file. */
  readonly input: fc.Arbitrary<T>
  /** Throws where the input breaks the law. */
  holds(input: T): void | Promise<void>
}
// What a law takes is known to itself alone.
// biome-ignore lint/suspicious/noExplicitAny: any list of laws holds laws over different inputs.
export type Laws = Readonly<Record<string, Law<any>>>

/** A seed that the environment names, or another one each time. */
export const seedOfRun = (): number => Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** For tests: so many inputs, none of which may break the law. */
export function hold<T>({ input, holds }: Law<T>, parameters: fc.Parameters<[T]>): Promise<void> {
  return fc.assert(
    fc.asyncProperty(input, async one => holds(one)),
    parameters,
  )
}
