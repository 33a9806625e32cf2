// Expressions as terms: fields by their path, everything else by a text that equal expressions share.
import type { CelNode } from '../cel/node.ts'
import { pathOf } from '../cel/walk.ts'
import type { Term } from './formula.ts'
import { above, below, intersectionOf } from './intervals.ts'
import { allStrings } from './strings.ts'
import {
  absent,
  type Constant,
  everything,
  flagged,
  isFalse,
  isList,
  isMap,
  isTrue,
  numbersIn,
  stringsIn,
  type ValueSet,
} from './values.ts'

/** A literal, also a negative one, a timestamp, or nothing. */
export function constantOf(node: CelNode): Constant | undefined {
  if (node.op === 'value') {
    const { args } = node
    if (args === null || typeof args === 'boolean' || typeof args === 'string' || typeof args === 'number' || typeof args === 'bigint')
      return args
    return undefined
  }
  if (node.op === '-_') {
    const inner = constantOf(node.args)
    return typeof inner === 'number' || typeof inner === 'bigint' ? -inner : undefined
  }
  if (node.op === 'call' && node.args[0] === 'timestamp') {
    const text = node.args[1][0] && constantOf(node.args[1][0])
    // Only what a Date holds exactly.
    if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined
    const date = new Date(text)
    return Number.isNaN(date.getTime()) ? undefined : date
  }
  return undefined
}

const string = stringsIn(allStrings)
const list = flagged(isList)
const map = flagged(isMap)
const absentToo = (set: ValueSet): ValueSet => ({ ...set, flags: set.flags | absent })
/** What the gateway itself puts there. */
const known: ReadonlyMap<string, ValueSet> = new Map([
  ['args', map],
  ['principal', map],
  ['principal.id', string],
  ['principal.tenant', string],
  ['principal.roles', list],
  ['principal.name', absentToo(string)],
  ['tool', map],
  ['tool.server', string],
  ['tool.name', string],
  ['tool.annotations', absentToo(map)],
  ['resource', map],
  ['resource.server', string],
  ['resource.uri', string],
  ['request', map],
  ['request.ip', absentToo(string)],
  ['request.transport', absentToo(string)],
  ['session', map],
])

export function fieldTerm(path: readonly string[]): Term {
  const key = path.map((name, i) => (i === 0 ? name : /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join('')
  const parent = path.length > 1 ? fieldTerm(path.slice(0, -1)) : undefined
  return { key, path, range: known.get(key) ?? everything, whole: false, ...(parent ? { parent } : {}) }
}

/** Whether the principal has a role: where `who` and conditions meet. */
export function roleTerm(role: string): Term {
  return { key: `role ${JSON.stringify(role)}`, range: flagged(isTrue | isFalse), whole: false }
}

export function termOf(node: CelNode): Term {
  const path = pathOf(node)
  if (path) return fieldTerm(path)
  const bounds = boundsOf(node)
  return { key: textOf(node), range: bounds ?? everything, whole: bounds !== undefined }
}

const partsOfTime: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['getHours', [0, 23]],
  ['getMinutes', [0, 59]],
  ['getSeconds', [0, 59]],
  ['getMilliseconds', [0, 999]],
  ['getDayOfWeek', [0, 6]],
  ['getMonth', [0, 11]],
  ['getDate', [1, 31]],
  ['getDayOfMonth', [0, 30]],
  ['getDayOfYear', [0, 365]],
])
const sizes = absentToo(numbersIn(above(0, false)))

function boundsOf(node: CelNode): ValueSet | undefined {
  if ((node.op === 'call' || node.op === 'rcall') && node.args[0] === 'size') return sizes
  // Of a duration they are whole hours, minutes and seconds: no such bounds.
  if (node.op !== 'rcall' || !isTimestamp(node.args[1])) return undefined
  const bounds = partsOfTime.get(node.args[0])
  return bounds && absentToo(numbersIn(intersectionOf(above(bounds[0], false), below(bounds[1], false))))
}
function isTimestamp(node: CelNode): boolean {
  return pathOf(node)?.join('.') === 'request.time' || (node.op === 'call' && node.args[0] === 'timestamp')
}

/** The same text for the same meaning, white space and brackets aside. */
export function textOf(node: CelNode): string {
  switch (node.op) {
    case 'value':
      return literalText(node)
    case 'id':
      return node.args
    case 'call':
      return `${node.args[0]}(${node.args[1].map(textOf).join(', ')})`
    case 'rcall':
      return `${textOf(node.args[1])}.${node.args[0]}(${node.args[2].map(textOf).join(', ')})`
    case 'list':
      return `[${node.args.map(textOf).join(', ')}]`
    case 'map':
      return `{${node.args.map(([key, value]) => `${textOf(key)}: ${textOf(value)}`).join(', ')}}`
    case '.':
    case '.?':
    case '[]':
    case '[?]': {
      const path = pathOf(node)
      if (path) return fieldTerm(path).key
      const [target, index] = node.args
      return `${textOf(target)}${node.op}(${typeof index === 'string' ? JSON.stringify(index) : textOf(index)})`
    }
    case '!_':
    case '-_':
      return `(${node.op} ${textOf(node.args)})`
    default:
      return `(${node.args.map(textOf).join(` ${node.op} `)})`
  }
}
function literalText({ args, input, start, end }: CelNode & { op: 'value' }): string {
  if (typeof args === 'bigint') return `${args}`
  if (typeof args === 'number') return `${args}d`
  return typeof args === 'object' && args !== null ? input.slice(start, end) : JSON.stringify(args)
}
