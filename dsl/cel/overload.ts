// A function of the language: its name, what it takes and gives, and what it does. Checker and evaluator read the same.
import type { CelType } from './cel-type.ts'
import type { Cel, Kind, TypeOf } from './cel-value.ts'
import type { Run } from './run.ts'

export interface Overload {
  /** `size`, `sql.is_select`, or an operator. */
  readonly name: string
  /** Called on its first argument. */
  readonly method: boolean
  readonly takes: readonly Kind[]
  readonly gives: CelType
  /** Undefined: an error. */
  readonly run: (run: Run, a: never, b: never, c: never) => Cel | undefined
}

type Style = 'function' | 'method'
type Native = Overload['run']

export function unary<A extends Kind>(
  style: Style,
  name: string,
  a: A,
  gives: CelType,
  body: (a: TypeOf[A], run: Run) => Cel | undefined,
): Overload {
  const native = (run: Run, x: TypeOf[A]): Cel | undefined => body(x, run)
  return { name, method: style === 'method', takes: [a], gives, run: native as unknown as Native }
}

export function binary<A extends Kind, B extends Kind>(
  style: Style,
  name: string,
  takes: readonly [A, B],
  gives: CelType,
  body: (a: TypeOf[A], b: TypeOf[B], run: Run) => Cel | undefined,
): Overload {
  const native = (run: Run, x: TypeOf[A], y: TypeOf[B]): Cel | undefined => body(x, y, run)
  return { name, method: style === 'method', takes, gives, run: native as unknown as Native }
}

export function ternary<A extends Kind, B extends Kind, C extends Kind>(
  style: Style,
  name: string,
  takes: readonly [A, B, C],
  gives: CelType,
  body: (a: TypeOf[A], b: TypeOf[B], c: TypeOf[C], run: Run) => Cel | undefined,
): Overload {
  const native = (run: Run, x: TypeOf[A], y: TypeOf[B], z: TypeOf[C]): Cel | undefined => body(x, y, z, run)
  return { name, method: style === 'method', takes, gives, run: native as unknown as Native }
}
