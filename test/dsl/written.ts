// Policies written as syntax trees, for tests of what comes after the parser; slices stand in a text of their own.
import type {
  Action,
  CelSlice,
  Clause,
  Duration,
  Effect,
  Item,
  ObligationArg,
  ObligationNode,
  PolicyFile,
  Rule,
  Subject,
  Target,
  Word,
} from '../../dsl/ast.ts'
import type { CheckedPolicy } from '../../dsl/bundle/bundle.ts'
import { resolveBundle } from '../../dsl/bundle/resolve.ts'
import type { Span } from '../../dsl/span.ts'

/** `crm/get_*`, a uri or a literal as `['docs', 'file:///x']`, a set as `@x`. */
export type WrittenTarget = string | readonly [server: string, name: string]
export interface WrittenRule {
  readonly effect: Effect
  readonly name: string
  readonly shadow?: boolean
  /** `any`, `role a in tenant t`, `agent x`. */
  readonly who?: readonly string[]
  readonly notWho?: readonly string[]
  readonly on?: readonly {
    readonly action: Action
    readonly targets: readonly WrittenTarget[]
    readonly except?: readonly WrittenTarget[]
  }[]
  readonly when?: string
  readonly unless?: string
  readonly after?: { readonly events: readonly (readonly ['call' | 'read' | 'prompt', WrittenTarget])[]; readonly withinMs: number }
  /** Names with arguments; `1h` is a duration. */
  readonly duties?: readonly (readonly [name: string, ...args: (string | number | readonly [string, string | number])[]])[]
  readonly because?: string
  readonly expires?: string
}
export interface WrittenFile {
  readonly name?: string
  readonly lets?: Readonly<Record<string, string>>
  readonly sets?: Readonly<Record<string, readonly WrittenTarget[]>>
  readonly rules: readonly WrittenRule[]
}

export const dischargers: ReadonlySet<string> = new Set(['redact', 'log', 'limit', 'approval', 'watermark'])

export function write({ name: file = 'a.policy', lets = {}, sets = {}, rules }: WrittenFile): PolicyFile {
  let text = ''
  const put = (part: string): Span => {
    const start = text.length
    text += part
    const span = { file, start, end: text.length }
    text += '\n'
    return span
  }
  const word = (value: string): Word => ({ value, quoted: false, span: put(value) })
  const cel = (part: string): CelSlice => ({ text: part, span: put(part) })
  const target = (written: WrittenTarget): Target => {
    if (typeof written !== 'string') {
      const [server, name] = written
      return { kind: 'pattern', server, name, quoted: true, span: put(`${server}/${JSON.stringify(name)}`) }
    }
    if (written.startsWith('@')) return { kind: 'reference', set: word(written.slice(1)), span: put(written) }
    const slash = written.indexOf('/')
    return { kind: 'pattern', server: written.slice(0, slash), name: written.slice(slash + 1), quoted: false, span: put(written) }
  }
  const subject = (written: string): Subject => {
    const span = put(written)
    if (written === 'any') return { kind: 'any', parts: [], span }
    const parts = written.split(' in ').map(part => {
      const [kind, of] = part.split(' ') as ['role' | 'agent' | 'tenant', string]
      return { kind, name: word(of), span }
    })
    return { kind: 'parts', parts, span }
  }
  const duration = (ms: number): Duration => ({ text: `${ms / 1000}s`, ms, span: put(`${ms / 1000}s`) })
  const arg = (written: string | number | readonly [string, string | number]): ObligationArg => {
    const value = typeof written === 'object' ? written[1] : written
    const named = typeof written === 'object' ? { name: word(written[0]) } : {}
    const span = put(String(value))
    if (typeof value === 'number') return { ...named, value: { kind: 'int', int: { value, span } }, span }
    if (value === '1h') return { ...named, value: { kind: 'duration', duration: { text: value, ms: 3_600_000, span } }, span }
    return { ...named, value: { kind: 'word', word: word(value) }, span }
  }
  const obligation = ([name, ...args]: NonNullable<WrittenRule['duties']>[number]): ObligationNode => ({
    name: word(name),
    args: args.map(arg),
    span: put(name),
  })
  const rule = (one: WrittenRule): Rule => {
    const clauses: Clause[] = []
    const span = put(one.name)
    if (one.who) clauses.push({ kind: 'who', subjects: one.who.map(subject), except: (one.notWho ?? []).map(subject), span })
    for (const { action, targets, except = [] } of one.on ?? [])
      clauses.push({ kind: 'target', action, targets: targets.map(target), except: except.map(target), span })
    if (one.when !== undefined) clauses.push({ kind: 'when', cel: cel(one.when), span })
    if (one.unless !== undefined) clauses.push({ kind: 'unless', cel: cel(one.unless), span })
    if (one.after) {
      const events = one.after.events.map(([action, of]) => ({ action, target: target(of), span }))
      clauses.push({ kind: 'after', events, within: duration(one.after.withinMs), span })
    }
    if (one.duties) clauses.push({ kind: 'then', obligations: one.duties.map(obligation), span })
    if (one.because !== undefined) clauses.push({ kind: 'because', text: word(one.because), span })
    if (one.expires !== undefined) clauses.push({ kind: 'expires', date: { text: one.expires, span }, span })
    return { kind: 'rule', effect: one.effect, shadow: one.shadow ?? false, name: word(one.name), clauses, span }
  }
  const items: Item[] = [
    ...Object.entries(lets).map(([key, value]): Item => ({ kind: 'let', name: word(key), cel: cel(value), span: put(key) })),
    ...Object.entries(sets).map(([key, of]): Item => ({ kind: 'targets', name: word(key), targets: of.map(target), span: put(key) })),
    ...rules.map(rule),
  ]
  const head = { name: word(file), edition: { value: 1, span: put('1') } }
  return { source: { file, text }, span: { file, start: 0, end: text.length }, ...head, items, comments: [] }
}

/** Codes of what is wrong. */
export function codesOf(file: WrittenFile): readonly string[] {
  return resolveBundle([write(file)], dischargers).diagnostics.map(({ code }) => code)
}

export function policyOf(...files: readonly (WrittenFile | PolicyFile)[]): CheckedPolicy {
  const { bundle, diagnostics } = resolveBundle(
    files.map(file => ('source' in file ? file : write(file))),
    dischargers,
  )
  if (diagnostics.length > 0) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join('\n'))
  return bundle as CheckedPolicy
}
