// The naive second evaluator: reads the syntax tree rule by rule, as the language says it, with nothing of the first one in it.
import type { Action, Clause, PolicyFile, Rule, Target, Subject as Who } from '../../../dsl/ast.ts'
import type { Facts } from '../../../dsl/facts.ts'
import type { Value } from '../../../dsl/value.ts'
import { type Answer, ask } from './expressions.ts'

export interface Verdict {
  readonly outcome: 'allow' | 'deny'
  readonly by: readonly string[] | 'default'
  readonly because: string | undefined
  readonly redact: readonly string[]
  readonly log: string | undefined
  /** Other obligations, as sorted texts. */
  readonly others: readonly string[]
  readonly errors: readonly string[]
  readonly shadow: readonly string[]
}
/** What the principal did: ms since 1970. */
export type Deed = readonly [action: Action, server: string, name: string, at: number]

export function evaluateNaively(files: readonly PolicyFile[], facts: Facts, deeds: readonly Deed[] | undefined): Verdict {
  const matched: Rule[] = []
  const errors: string[] = []
  for (const file of files)
    for (const rule of file.items) {
      if (rule.kind !== 'rule' || !isWho(rule, facts) || !isTarget(file, rule, facts) || isExpired(rule, facts)) continue
      const answer = condition(file, rule, facts, deeds)
      if (answer === false) continue
      if (answer !== true) errors.push(`${rule.name.value} ${answer}`)
      if (answer === true || rule.effect !== 'allow') matched.push(rule)
    }
  const live = matched.filter(({ shadow }) => !shadow)
  const denies = live.filter(({ effect }) => effect === 'deny')
  const allows = live.filter(({ effect }) => effect === 'allow')
  const isAllowed = denies.length === 0 && allows.length > 0
  const deciding = isAllowed ? allows : denies
  const then = isAllowed ? live.flatMap(rule => pick(rule, 'then')?.obligations ?? []) : []
  const named = (name: string) => then.filter(one => one.name.value === name)
  const words = (of: typeof then) => of.flatMap(({ args }) => args.map(({ value }) => (value.kind === 'word' ? value.word.value : '')))
  const levels = words(named('log'))
  return {
    outcome: isAllowed ? 'allow' : 'deny',
    by: deciding.length === 0 ? 'default' : deciding.map(({ name }) => name.value),
    because: denies.map(rule => pick(rule, 'because')?.text.value).find(text => text !== undefined),
    redact: [...new Set(words(named('redact')))].toSorted(),
    log: ['full', 'args', 'meta'].find(level => levels.includes(level)),
    others: [...new Set(then.filter(({ name }) => name.value === 'limit').map(({ args }) => args.map(argText).join()))].toSorted(),
    errors,
    shadow: matched.filter(({ shadow }) => shadow).map(({ name, effect }) => `${effect} ${name.value}`),
  }
}

function argText({ value }: NonNullable<ReturnType<typeof pick<'then'>>>['obligations'][number]['args'][number]): string {
  return value.kind === 'int' ? String(value.int.value) : value.kind === 'duration' ? value.duration.text : value.word.value
}

function pick<K extends Clause['kind']>(rule: Rule, kind: K): Extract<Clause, { kind: K }> | undefined {
  return rule.clauses.find((one): one is Extract<Clause, { kind: K }> => one.kind === kind)
}

function isWho(rule: Rule, { principal }: Facts): boolean {
  const is = ({ parts }: Who): boolean =>
    parts.every(({ kind, name }) =>
      kind === 'role' ? principal.roles.includes(name.value) : (kind === 'agent' ? principal.id : principal.tenant) === name.value,
    )
  const who = pick(rule, 'who')
  return who === undefined || (who.subjects.some(is) && !who.except.some(is))
}

function isTarget(file: PolicyFile, rule: Rule, { action, server, name }: Facts): boolean {
  return rule.clauses.some(
    one =>
      one.kind === 'target' &&
      one.action === action &&
      one.targets.some(target => means(file, action, target, server, name)) &&
      !rule.clauses.some(
        other =>
          other.kind === 'target' && other.action === action && other.except.some(target => means(file, action, target, server, name)),
      ),
  )
}

function means(file: PolicyFile, action: Action, target: Target, server: string, name: string): boolean {
  if (target.kind === 'reference') {
    const set = file.items.find(item => item.kind === 'targets' && item.name.value === target.set.value)
    return set?.kind === 'targets' && set.targets.some(one => means(file, action, one, server, name))
  }
  if (!spells(target.server, server, false) || (server === 'gateway' && target.server.includes('*'))) return false
  if (action === 'read') return !target.quoted || spells(target.name, new URL(name).href, true)
  return target.quoted ? target.name === name : spells(target.name, name, false)
}

/** Character by character, trying every length of each star. */
function spells(pattern: string, text: string, isUri: boolean): boolean {
  if (pattern === '') return text === ''
  if (!pattern.startsWith('*')) return pattern[0] === text[0] && spells(pattern.slice(1), text.slice(1), isUri)
  const isAnything = isUri && pattern.startsWith('**')
  const rest = pattern.slice(isAnything ? 2 : 1)
  for (let length = 0; length <= text.length; length++) {
    if (spells(rest, text.slice(length), isUri)) return true
    if (text[length] === '/' && !isAnything) return false
  }
  return false
}

function isExpired(rule: Rule, { request }: Facts): boolean {
  const expires = pick(rule, 'expires')
  return rule.effect === 'allow' && expires !== undefined && request.time.toISOString().slice(0, 10) > expires.date.text
}

type Outcome = Answer | 'no-history'

function condition(file: PolicyFile, rule: Rule, facts: Facts, deeds: readonly Deed[] | undefined): Outcome {
  const lets = new Map(file.items.flatMap(item => (item.kind === 'let' ? [[item.name.value, item.cel.text] as const] : [])))
  const cel = (kind: 'when' | 'unless') => pick<typeof kind>(rule, kind)
  const when = cel('when')
  const unless = cel('unless')
  const after = pick(rule, 'after')
  const answers: Outcome[] = []
  if (when) answers.push(ask(when.cel.text, lets, variables(facts)))
  if (unless) {
    const answer = ask(unless.cel.text, lets, variables(facts))
    answers.push(typeof answer === 'boolean' ? !answer : answer)
  }
  if (after) {
    const since = facts.request.time.getTime() - after.within.ms
    const happened = deeds?.some(([action, server, name, at]) =>
      after.events.some(event => at >= since && event.action === action && means(file, action, event.target, server, name)),
    )
    answers.push(happened ?? 'no-history')
  }
  if (answers.includes(false)) return false
  return answers.find(answer => answer !== true) ?? true
}

function variables({ args, principal, action, server, name, request }: Facts): ReadonlyMap<string, Value | undefined> {
  const { id, roles, tenant, claims } = principal
  const all: Readonly<Record<string, Value | undefined>> = {
    args,
    principal: new Map<string, Value>(Object.entries({ id, roles, tenant, claims })),
    tool: action === 'call' ? new Map(Object.entries({ server, name })) : undefined,
    resource: action === 'read' ? new Map(Object.entries({ server, uri: new URL(name).href })) : undefined,
    request: new Map<string, Value>([['time', request.time], ...(request.ip === undefined ? [] : [['ip', request.ip] as const])]),
  }
  return new Map(Object.entries(all))
}
