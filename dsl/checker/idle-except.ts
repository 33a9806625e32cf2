// Which excepts take nothing out? Whoever wrote one believes that something is not allowed, or not denied, and it is.

import { patternsMeet } from '../analysis/targets.ts'
import type { Action, PolicyFile, Target } from '../ast.ts'
import { textOf } from '../bundle/targets.ts'
import { RESERVED_SERVER } from '../evaluator/target.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'
import { type PatternNode, rulesIn } from './walk-file.ts'

export const checkIdleExcept: Check = function* ({ files }) {
  for (const file of files) {
    const open = openerOf(file)
    for (const rule of rulesIn(file)) {
      for (const clause of rule.clauses) {
        if (clause.kind !== 'target' || clause.except.length === 0) continue
        const { action, except } = clause
        const targets = clause.targets.flatMap(open)
        for (const gap of except) {
          const gaps = open(gap)
          // Of a set, which is written for several rules, one that meets is enough.
          if (gaps.some(one => targets.some(target => meets(action, one, target)))) continue
          const text = gap.kind === 'pattern' ? textOf(gap) : `@${gap.set.value}`
          const isReserved = gaps.some(({ server }) => server.includes('*')) && targets.some(({ server }) => server === RESERVED_SERVER)
          yield finding('idle-except', gap.span, `\`except ${text}\` takes nothing out of what \`${rule.name.value}\` names`, {
            help: isReserved ? `a \`*\` does not stand for \`${RESERVED_SERVER}\`: name it` : 'mend it, or leave it out',
          })
        }
      }
    }
  }
}

function openerOf({ items }: PolicyFile): (target: Target) => readonly PatternNode[] {
  const sets = new Map(items.flatMap(item => (item.kind === 'targets' ? [[item.name.value, item.targets] as const] : [])))
  return target =>
    target.kind === 'pattern' ? [target] : (sets.get(target.set.value) ?? []).filter((one): one is PatternNode => one.kind === 'pattern')
}

function meets(action: Action, a: PatternNode, b: PatternNode): boolean {
  const isApart = (one: PatternNode, other: PatternNode): boolean => one.server === RESERVED_SERVER && other.server.includes('*')
  return !isApart(a, b) && !isApart(b, a) && patternsMeet({ action, ...a }, { action, ...b })
}
