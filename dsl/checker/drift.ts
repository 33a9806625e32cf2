// What has come or changed since the lock was written, under a rule that allows it.
import type { Bundle, ResolvedRule } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock, LockedTool } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { type Reached, serversOf, toolsOf, toolsOfRule } from './reach.ts'
import { finding } from './tell.ts'

export const checkDrift: Check = (bundle, { lock, live }) => (lock === undefined || live === undefined ? [] : findDrift(bundle, lock, live))

/** `before` is what the rules were written for, `now` what is offered. Servers that only one of them has are left alone. */
export function* findDrift(bundle: Bundle, before: Lock, now: Lock): Generator<Diagnostic> {
  const old = new Map<string, LockedTool>(
    Object.entries(before.servers).flatMap(([server, { tools }]) => tools.map(tool => [`${server}/${tool.name}`, tool] as const)),
  )
  const told = new Set<string>()
  for (const rule of bundle.rules) {
    if (rule.effect !== 'allow' || rule.shadow) continue
    for (const one of toolsOfRule(now, rule)) {
      if (told.has(one.path) || serversOf(before, one.server).length === 0) continue
      const was = old.get(one.path)
      if (was !== undefined && was.digest === one.tool.digest) continue
      told.add(one.path)
      yield was === undefined ? added(rule, one, now) : changed(rule, one, now)
    }
  }
}

function added(rule: ResolvedRule, one: Reached, now: Lock): Diagnostic {
  const { span, text } = under(rule, one, now)
  const message = `\`${one.path}\` has come since the lock was written, and \`${rule.name}\` allows it by \`${text}\``
  return finding('tool-added', span, message, { help: 'look at it, then run `mcpgw catalog lock`; or name the tools that are meant' })
}

function changed(rule: ResolvedRule, one: Reached, now: Lock): Diagnostic {
  const { span } = under(rule, one, now)
  const message = `\`${one.path}\`, which \`${rule.name}\` allows, is not defined as the lock has it`
  return finding('schema-changed', span, message, { help: 'see what changed with `mcpgw catalog diff`, then run `mcpgw catalog lock`' })
}

function under(rule: ResolvedRule, one: Reached, now: Lock): { span: Diagnostic['span']; text: string } {
  const target = rule.targets.find(each => toolsOf(now, each).includes(one))
  return target === undefined ? { span: rule.nameSpan, text: rule.name } : { span: target.span, text: `${target.server}/${target.name}` }
}
