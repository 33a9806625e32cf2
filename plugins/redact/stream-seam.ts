// A value that continues from one notification of a call into the next. Nothing is held back: what was sent before is out, the rest is not sent.
import type { Exchange, JsonObject, JsonValue, Notification } from 'mcpgw/plugin'
import type { Search } from './finding.ts'
import type { Tally } from './masker.ts'
import { maskHead, tailOf } from './seam.ts'
import { isObject } from './shape.ts'
import { createWriter, type TokenScope } from './writer.ts'

export interface Continued {
  readonly value: JsonValue
  readonly counts: Tally
  readonly blocked: string | undefined
}

/** Takes each notification once, in order; `shown` is what is left of its params. Undefined: nothing continues in it. */
export type Follow = (
  x: Exchange,
  told: Notification,
  shown: JsonValue,
  search: Search,
  scope: TokenScope | undefined,
) => Continued | undefined

// Where text streams: the words of a progress, a line of a log.
const streamed: ReadonlyMap<string, string> = new Map([
  ['notifications/progress', 'message'],
  ['notifications/message', 'data'],
])

export function createFollow(): Follow {
  const ends = new WeakMap<Exchange, Map<string, string>>()
  return (x, { method, params }, shown, search, scope) => {
    const member = streamed.get(method)
    if (member === undefined || !params.text.includes(member)) return undefined
    const said = textIn(params.value, member)
    const left = textIn(shown, member)
    if (said === undefined || left === undefined) return undefined
    const known = ends.get(x) ?? new Map<string, string>()
    ends.set(x, known)
    const before = known.get(method) ?? ''
    known.set(method, tailOf(before + said))
    if (before === '') return undefined
    const counts: Tally = new Map()
    const writer = createWriter(scope)
    const masked = maskHead(before, said, left, search, counts, writer)
    if (masked === left) return undefined
    const value = Object.assign(Object.create(null) as JsonObject, shown, { [member]: masked })
    return { value, counts, blocked: writer.blocked }
  }
}

function textIn(params: JsonValue, member: string): string | undefined {
  const value = isObject(params) ? params[member] : undefined
  return typeof value === 'string' ? value : undefined
}
