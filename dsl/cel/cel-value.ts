// What a condition computes with: the values of JSON, and those that only CEL has. Whatever is no value is an Absent.
import type { EvaluationErrorCode } from '../decision.ts'
import type { CelNode } from './node.ts'

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}
export class CelDuration {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}
export class TypeName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

export type Cel =
  | null
  | boolean
  | string
  | bigint
  | number
  | Date
  | Uint
  | CelDuration
  | TypeName
  | readonly Cel[]
  | ReadonlyMap<string | bigint | boolean, Cel>

/** Instead of a value: an error, made once for each place that can fail, or `unknown`. */
export class Absent {
  readonly why: EvaluationErrorCode | 'unknown'
  readonly node: CelNode | undefined
  constructor(why: EvaluationErrorCode | 'unknown', node?: CelNode) {
    this.why = why
    this.node = node
  }
}
export const unknown: Absent = new Absent('unknown')

/** Of two absent operands the unknown one speaks: it may turn out to be a value that decides. */
export function heavier(a: Absent, b: Absent): Absent {
  return b.why === 'unknown' ? b : a
}

export type Result = Cel | Absent

export interface TypeOf {
  readonly null: null
  readonly bool: boolean
  readonly string: string
  readonly int: bigint
  readonly uint: Uint
  readonly double: number
  readonly timestamp: Date
  readonly duration: CelDuration
  readonly list: readonly Cel[]
  readonly map: ReadonlyMap<string | bigint | boolean, Cel>
  readonly type: TypeName
  readonly dyn: Cel
}
export type Kind = keyof TypeOf

/** `undefined` for what is no value of the language at all. */
export function kindOf(value: Cel): Exclude<Kind, 'dyn'> | undefined {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'list'
      if (value instanceof Map) return 'map'
      if (value instanceof Date) return 'timestamp'
      if (value instanceof Uint) return 'uint'
      if (value instanceof CelDuration) return 'duration'
      return value instanceof TypeName ? 'type' : undefined
    default:
      return undefined
  }
}

export const minInt: bigint = -(2n ** 63n)
export const maxInt: bigint = 2n ** 63n - 1n
export const maxUint: bigint = 2n ** 64n - 1n

export const asInt = (value: bigint): bigint | undefined => (BigInt.asIntN(64, value) === value ? value : undefined)
export const asUint = (value: bigint): Uint | undefined => (value >= 0n && value <= maxUint ? new Uint(value) : undefined)
