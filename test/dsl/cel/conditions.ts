// Conditions from their text alone, for the tests of the CEL adapter.
import { expect } from 'vitest'
import type { CelSlice } from '../../../dsl/ast.ts'
import { compileCondition } from '../../../dsl/cel/compile.ts'
import type { Bindings, Condition } from '../../../dsl/cel/condition.ts'
import { normalise, TooLarge } from '../../../dsl/cel/normalise.ts'
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts'
import type { Value } from '../../../dsl/value.ts'

export const slice = (text: string, start = 0): CelSlice => ({ text, span: { file: 'a.policy', start, end: start + text.length } })

const variables: ReadonlySet<string> = new Set(['args', 'principal', 'tool', 'request'])

export function findings(text: string, lets: Readonly<Record<string, string>> = {}): readonly Diagnostic[] {
  return compileCondition(slice(text), { lets: letsOf(lets), variables }).diagnostics
}
export const codes = (text: string, lets: Readonly<Record<string, string>> = {}): readonly string[] =>
  findings(text, lets).map(one => one.code)

const letsOf = (lets: Readonly<Record<string, string>>): ReadonlyMap<string, CelSlice> =>
  new Map(Object.entries(lets).map(([name, text]) => [name, slice(text, 1_000)]))

export function compiled(text: string, lets: Readonly<Record<string, string>> = {}): Condition {
  const { condition, diagnostics } = compileCondition(slice(text), { lets: letsOf(lets), variables })
  expect(diagnostics).toEqual([])
  return condition!
}

export function jsonValue(json: unknown): Value {
  const value = normalise(json)
  if (value instanceof TooLarge) throw new Error(`too large: ${value.what}`)
  return value
}

export function bindings(args: unknown = {}, more: Readonly<Record<string, Value>> = {}): Bindings {
  return new Map<string, Value>([
    ['args', jsonValue(args)],
    ['principal', jsonValue({ id: 'a1', roles: ['support'], tenant: 'acme', claims: { level: 3 } })],
    ['request', new Map<string, Value>([['time', new Date('2026-11-21T10:30:00Z')]])],
    ...Object.entries(more),
  ])
}

/** true, false, or the code of an error. */
export function evaluate(text: string, args: unknown = {}, lets: Readonly<Record<string, string>> = {}): boolean | string {
  const truth = compiled(text, lets).evaluate(bindings(args))
  return typeof truth === 'boolean' ? truth : truth.error
}
