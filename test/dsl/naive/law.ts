// The differential as a law over bundles and calls that can be made smaller and kept as text.
import fc from 'fast-check'
import { createEvaluator } from '../../../dsl/evaluator/evaluator.ts'
import type { Value } from '../../../dsl/value.ts'
import type { Law } from '../../fuzz/law.ts'
import { policyOf, type WrittenFile, write } from '../written.ts'
import { decideTwice } from './compare.ts'
import { type DrawnCall, drawCall, drawFrom, drawRule, drawSet, fileOf, historyOf } from './generate.ts'

interface Case {
  readonly file: WrittenFile
  /** Each as the text of its facts. */
  readonly calls: readonly string[]
}

const seed = fc.noShrink(fc.integer())

export const decidesAlike: Law<Case> = {
  input: fc.record({
    file: fc.tuple(seed, fc.array(seed, { minLength: 1, maxLength: 16, size: 'max' })).map(([set, rules]) =>
      fileOf(
        drawSet(drawFrom(set)),
        rules.map((one, i) => drawRule(drawFrom(one), i)),
      ),
    ),
    calls: fc.array(
      seed.map(one => textOf(drawCall(drawFrom(one)))),
      { minLength: 1, maxLength: 25, size: 'max' },
    ),
  }),
  holds({ file: written, calls }) {
    const file = write(written)
    const evaluator = createEvaluator(policyOf(file))
    for (const call of calls) {
      const { wrong } = decideTwice(evaluator, file, callOf(call))
      if (wrong !== undefined) throw new Error(`${wrong}: ${call}`)
    }
  },
}

type Tagged = { readonly map: readonly (readonly [string, Value])[] } | { readonly integer: string } | { readonly time: number }

export function textOf({ facts, deeds }: DrawnCall): string {
  return JSON.stringify(
    { facts: { ...facts, history: undefined }, deeds },
    function (this: Record<string, unknown>, key, value: unknown): unknown {
      // A Date has become text before it comes here.
      const own = this[key]
      if (own instanceof Date) return { time: own.getTime() } satisfies Tagged
      if (own instanceof Map) return { map: [...(own as Map<string, Value>)] } satisfies Tagged
      return typeof value === 'bigint' ? ({ integer: String(value) } satisfies Tagged) : value
    },
  )
}

export function callOf(text: string): DrawnCall {
  const { facts, deeds } = JSON.parse(text, (key, value: unknown): unknown => {
    // A request has a time, too.
    if (value === null || typeof value !== 'object' || Array.isArray(value) || key === 'request') return value
    if ('map' in value) return new Map(value.map as [string, Value][])
    if ('integer' in value) return BigInt(value.integer as string)
    return 'time' in value ? new Date(value.time as number) : value
  }) as DrawnCall
  return { facts: { ...facts, history: historyOf(deeds) }, deeds }
}
