// From targets as written to patterns: sets in place of their names, and nothing that could never mean what it says.
import type { Action, Target, TargetSet, Word } from '../ast.ts'
import { hasDots, normaliseUri } from '../evaluator/uri.ts'
import type { TargetPattern } from './bundle.ts'
import type { Report } from './report.ts'

export type Sets = ReadonlyMap<string, TargetSet>
type Written = Extract<Target, { kind: 'pattern' }>

/** Those that are well-formed. */
export function patternsOf(action: Action, targets: readonly Target[], sets: Sets, report: Report): readonly TargetPattern[] {
  return targets.flatMap(target => {
    if (target.kind === 'pattern') return checked(action, target, report) ? [patternOf(action, target)] : []
    const set = sets.get(target.set.value)
    if (set === undefined) {
      report.say('unknown-set', `expected the name of a set of this file, found \`@${target.set.value}\``, target.span, setsHelp(sets))
      return []
    }
    return set.targets.flatMap(one => (one.kind === 'pattern' && checked(action, one, report) ? [patternOf(action, one)] : []))
  })
}

/** One target without a pattern, of a test or what it says has happened. */
export function checkConcrete(action: Action, target: Target, report: Report): void {
  if (target.kind === 'reference')
    return report.say('not-concrete', `expected one target, found the set \`@${target.set.value}\``, target.span)
  const { server, name, quoted } = target
  if (server.includes('*') || (!quoted && name.includes('*')))
    return report.say('not-concrete', `expected one target, found the pattern \`${textOf(target)}\``, target.span)
  if (action === 'read' && !quoted)
    report.say('not-concrete', `expected a uri in quotes, found \`${name}\``, target.span, { help: `write \`${server}/"the uri"\`` })
}

export function checkSet({ targets }: TargetSet, report: Report): void {
  for (const target of targets)
    if (target.kind === 'reference')
      report.say('nested-set', `expected a target, found the set \`@${target.set.value}\`: a set holds no other`, target.span)
}

export function textOf({ server, name, quoted }: Pick<TargetPattern, 'server' | 'name' | 'quoted'>): string {
  return `${server}/${quoted ? JSON.stringify(name) : name}`
}

function patternOf(action: Action, { server, name, quoted, span }: Written): TargetPattern {
  return { action, server, name, quoted, span }
}

function checked(action: Action, { server, name, quoted, span }: Written, report: Report): boolean {
  if (name === '') {
    report.say('bad-pattern', 'expected a name after `/`, found nothing', span)
    return false
  }
  if (action !== 'read') return true
  if (!quoted && name !== '*') {
    const help = `write \`${server}/"uri"\` for one uri or a pattern of uris, \`${server}/*\` for any`
    report.say('bad-pattern', `expected a uri in quotes or \`*\`, found \`${name}\``, span, { help })
    return false
  }
  if (quoted && SCHEME_PATTERN.test(name)) {
    const help = 'write one pattern for each scheme, or `**` for any uri'
    report.say('bad-pattern', `expected a uri with its scheme written out, found \`${name}\``, span, { help })
    return false
  }
  if (quoted && hasDots(name)) {
    const help = name.includes('*') ? 'uris are straightened before they are compared' : `write \`${normaliseUri(name)}\``
    report.say('bad-pattern', `expected a uri without \`.\` and \`..\` segments, found \`${name}\``, span, { help })
    return false
  }
  return true
}

/** A `*` in the scheme, or in place of it: how a uri is normalised depends on it, and no normalised uri would be as the pattern is. */
const SCHEME_PATTERN = /^[^/?#]*\*[^/?#]*(?::\/|\/\/)/

function setsHelp(sets: Sets): { help?: string } {
  const names = [...sets.values()].map(({ name }: { name: Word }) => `\`@${name.value}\``)
  return names.length === 0
    ? { help: 'a set is made by `targets NAME = SERVER/NAME, ...` in the same file' }
    : { help: `there are ${names.join(', ')}` }
}
