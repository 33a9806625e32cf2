// From parsed files to rules that can be asked: sets expanded, conditions compiled, and every rule whole.
import type {
  Action,
  AfterClause,
  CelSlice,
  Clause,
  Item,
  Let,
  PolicyFile,
  Rule,
  Subject,
  TargetClause,
  TargetSet,
  Test,
  Word,
} from '../ast.ts'
import { checkLet, compileCondition } from '../cel/compile.ts'
import type { Condition } from '../cel/condition.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { nameMatcher, serverMatcher } from '../evaluator/target.ts'
import { normaliseUri } from '../evaluator/uri.ts'
import type { EventMatcher } from '../facts.ts'
import type { Bundle, ResolvedRule, SubjectPattern, TargetPattern } from './bundle.ts'
import { dutiesOf } from './obligations.ts'
import { createReport, type Report } from './report.ts'
import { allVariables, variablesOf } from './scope.ts'
import { checkConcrete, checkSet, patternsOf, type Sets, textOf } from './targets.ts'

type Lets = ReadonlyMap<string, CelSlice>

const DAY = 86_400_000
const EDITION = 1

/** Rules with a mistake are in the bundle as far as they are understood, for the checker; nobody may evaluate them. */
export function resolveBundle(
  files: readonly PolicyFile[],
  dischargers: ReadonlySet<string>,
): { readonly bundle: Bundle; readonly diagnostics: readonly Diagnostic[] } {
  const report = createReport()
  const names = new Map<string, Word>()
  const rules = files.flatMap(file => resolveFile(file, dischargers, names, report))
  return { bundle: { files, rules }, diagnostics: report.diagnostics }
}

function resolveFile(file: PolicyFile, dischargers: ReadonlySet<string>, names: Map<string, Word>, report: Report): ResolvedRule[] {
  if (file.edition.value !== EDITION)
    report.say('unknown-edition', `expected edition ${EDITION}, found \`${file.edition.value}\``, file.edition.span)
  const sets: Sets = named(file.items, 'targets', 'set', report)
  for (const set of sets.values()) checkSet(set, report)
  const lets: Lets = new Map([...named(file.items, 'let', 'let', report)].map(([name, { cel }]) => [name, cel]))
  for (const one of file.items) if (one.kind === 'let') report.add(checkLet(one.name, one.cel, { lets, variables: allVariables }))
  return file.items.flatMap(item => {
    if (item.kind === 'test') checkTest(item, report)
    if (item.kind !== 'rule') return []
    if (item.name.value === 'default')
      report.say('reserved-name', 'expected another name than `default`, which says that no rule matched', item.name.span)
    claim(names, item.name, 'rule', report)
    return [resolveRule(item, sets, lets, dischargers, report)]
  })
}

function named<K extends 'let' | 'targets'>(
  items: readonly Item[],
  kind: K,
  word: string,
  report: Report,
): ReadonlyMap<string, Extract<Let | TargetSet, { kind: K }>> {
  const found = new Map<string, Extract<Let | TargetSet, { kind: K }>>()
  const names = new Map<string, Word>()
  for (const item of items) {
    if (item.kind !== kind) continue
    const one = item as Extract<Let | TargetSet, { kind: K }>
    if (claim(names, one.name, word, report)) found.set(one.name.value, one)
  }
  return found
}

function claim(names: Map<string, Word>, name: Word, word: string, report: Report): boolean {
  const first = names.get(name.value)
  if (first === undefined) names.set(name.value, name)
  else
    report.say('duplicate-name', `expected another name, found a second ${word} \`${name.value}\``, name.span, {
      labels: [{ span: first.span, text: 'the first one' }],
    })
  return first === undefined
}

function checkTest({ action, target, given }: Test, report: Report): void {
  checkConcrete(action, target, report)
  for (const { event } of given) checkConcrete(event.action, event.target, report)
}

function resolveRule(rule: Rule, sets: Sets, lets: Lets, dischargers: ReadonlySet<string>, report: Report): ResolvedRule {
  const { effect, shadow, name, span } = rule
  const who = clause(rule, 'who')
  const about = rule.clauses.filter(one => one.kind === 'target')
  const then = clause(rule, 'then')
  const after = clause(rule, 'after')
  const because = clause(rule, 'because')
  const expires = clause(rule, 'expires')
  const title = `${effect} \`${name.value}\``
  if (effect === 'allow' && who === undefined)
    report.say('missing-who', `expected \`who\` in ${title}, found none`, name.span, { help: 'write `who any` where everyone is meant' })
  // A caller without an identity has an empty id and tenant.
  for (const { kind, name: subject } of [...(who?.subjects ?? []), ...(who?.except ?? [])].flatMap(({ parts }) => parts))
    if (subject.value === '') report.say('syntax', `expected a name after \`${kind}\`, found an empty text`, subject.span)
  if (about.length === 0)
    report.say('missing-target', `expected \`call\`, \`read\`, \`prompt\` or \`method\` in ${title}, found none`, name.span)
  if (effect === 'require' && then === undefined) report.say('missing-then', `expected \`then\` in ${title}, found none`, name.span)
  if (effect === 'deny' && then !== undefined)
    report.say('then-on-deny', `expected no obligations in ${title}, found \`then\``, then.span, {
      help: 'what is denied has no obligations',
    })
  if (effect !== 'allow' && expires !== undefined)
    report.say('expires-on-guard', `expected \`expires\` in an allow alone, found it in ${title}`, expires.span, {
      help: 'a guard never lapses by itself',
    })
  const variables = variablesOf(about.map(({ action }) => action))
  const compile = (kind: 'when' | 'unless'): Condition | undefined => {
    const written = clause(rule, kind)
    if (written === undefined) return undefined
    const { condition, diagnostics } = compileCondition(written.cel, { lets, variables })
    report.add(diagnostics)
    return condition
  }
  const when = compile('when')
  const unless = compile('unless')
  const of = (pick: (one: TargetClause) => TargetClause['targets']): TargetPattern[] =>
    about.flatMap(one => patternsOf(one.action, pick(one), sets, report))
  return {
    name: name.value,
    effect,
    shadow,
    span,
    nameSpan: name.span,
    who: who === undefined ? [anyone] : who.subjects.map(subjectOf),
    notWho: who === undefined ? [] : who.except.map(subjectOf),
    targets: of(({ targets }) => targets),
    notTargets: of(({ except }) => except),
    ...(when && { when }),
    ...(unless && { unless }),
    ...(after && { after: { events: eventsOf(after, sets, report), withinMs: after.within.ms, span: after.span } }),
    obligations: then === undefined || effect === 'deny' ? [] : dutiesOf(then.obligations, dischargers, report),
    ...(because && { because: because.text.value }),
    ...(expires && { expiresAt: Date.parse(`${expires.date.text}T00:00:00Z`) + DAY }),
  }
}

function clause<K extends Clause['kind']>(rule: Rule, kind: K): Extract<Clause, { kind: K }> | undefined {
  return rule.clauses.find((one): one is Extract<Clause, { kind: K }> => one.kind === kind)
}

const anyone: SubjectPattern = { roles: [], agents: [], tenants: [] }

function subjectOf({ parts }: Subject): SubjectPattern {
  const of = (kind: 'role' | 'agent' | 'tenant'): string[] => parts.filter(part => part.kind === kind).map(({ name }) => name.value)
  return { roles: of('role'), agents: of('agent'), tenants: of('tenant') }
}

function eventsOf({ events }: AfterClause, sets: Sets, report: Report): readonly EventMatcher[] {
  return events.flatMap(({ action, target }) => patternsOf(action, [target], sets, report).map(pattern => eventOf(action, pattern)))
}

function eventOf(action: EventMatcher['action'], pattern: TargetPattern): EventMatcher {
  const matchesServer = serverMatcher(pattern.server)
  const matchesName = nameMatcher(pattern)
  const plain: (name: string) => string = (action satisfies Action) === 'read' ? normaliseUri : name => name
  return { action, text: `${action} ${textOf(pattern)}`, matches: (server, name) => matchesServer(server) && matchesName(plain(name)) }
}
