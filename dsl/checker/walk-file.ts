// The targets and subjects of a file's rules as they stand in the text, sets opened: each is told of where it was written.
import type { Action, PolicyFile, Rule, SubjectPart, Target } from '../ast.ts'

export type PatternNode = Extract<Target, { kind: 'pattern' }>
export interface WrittenTarget {
  readonly rule: Rule
  readonly action: Action
  readonly target: PatternNode
  /** `except` narrows, an event looks back; the rest is what the rule is about. */
  readonly role: 'target' | 'except' | 'event'
}

export function* targetsIn(file: PolicyFile): Generator<WrittenTarget> {
  const sets = new Map(file.items.flatMap(item => (item.kind === 'targets' ? [[item.name.value, item.targets] as const] : [])))
  const open = (target: Target): readonly PatternNode[] =>
    target.kind === 'pattern' ? [target] : (sets.get(target.set.value) ?? []).filter((one): one is PatternNode => one.kind === 'pattern')
  for (const rule of rulesIn(file)) {
    for (const clause of rule.clauses) {
      if (clause.kind === 'target') {
        const { action } = clause
        for (const target of clause.targets.flatMap(open)) yield { rule, action, target, role: 'target' }
        for (const target of clause.except.flatMap(open)) yield { rule, action, target, role: 'except' }
      } else if (clause.kind === 'after') {
        for (const { action, target } of clause.events) for (const one of open(target)) yield { rule, action, target: one, role: 'event' }
      }
    }
  }
}

export function* subjectsIn(file: PolicyFile): Generator<SubjectPart> {
  for (const rule of rulesIn(file)) {
    for (const clause of rule.clauses) {
      if (clause.kind === 'who') for (const subject of [...clause.subjects, ...clause.except]) yield* subject.parts
    }
  }
}

export function rulesIn(file: PolicyFile): readonly Rule[] {
  return file.items.filter((item): item is Rule => item.kind === 'rule')
}
