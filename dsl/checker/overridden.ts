// Which allows does a deny always win over, wholly (`overridden`) or for one of their targets or subjects (`conflict`)?
import { mayBeOverridden, overridersOf, partsOf } from '../analysis/override.ts'
import { placesOf } from '../analysis/places.ts'
import { formulasOf } from '../analysis/rules.ts'
import { backgroundOf } from '../analysis/schema.ts'
import { solve } from '../analysis/solve.ts'
import { placeUnder, tryOut, witnessOf } from '../analysis/witness.ts'
import type { Bundle, ResolvedRule, SubjectPattern } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { finding, listSome } from './tell.ts'

export const checkOverridden: Check = function* (bundle, { lock, now }) {
  for (const rule of bundle.rules) {
    const lapsed = rule.expiresAt !== undefined && rule.expiresAt <= now.getTime()
    if (rule.effect !== 'allow' || rule.shadow || lapsed || !mayBeOverridden(rule, bundle, lock)) continue
    const denies = overridersOf(rule, bundle, lock)
    if (denies) {
      yield finding(
        'overridden',
        rule.nameSpan,
        `allow \`${rule.name}\` never decides: ${theDenies(denies)} every call that it would allow`,
        {
          ...told(rule, denies, lock),
          help: 'take the allow out, or except its calls from the deny',
        },
      )
      continue
    }
    yield* conflictsOf(rule, bundle, lock)
  }
}

function* conflictsOf(rule: ResolvedRule, bundle: Bundle, lock: Lock | undefined): Generator<Diagnostic> {
  const { targets, who } = partsOf(rule)
  for (const part of targets) {
    const denies = overridersOf(part, bundle, lock)
    const target = part.targets[0]
    if (!denies || !target) continue
    yield finding(
      'conflict',
      target.span,
      `\`${target.server}/${target.name}\` is never allowed by \`${rule.name}\`: ${theDenies(denies)} every such call`,
      {
        ...told(part, denies, lock),
        help: 'take the target out of the allow, or except it from the deny',
      },
    )
  }
  for (const part of who) {
    const denies = overridersOf(part, bundle, lock)
    const subject = part.who[0]
    if (!denies || !subject) continue
    yield finding(
      'conflict',
      rule.nameSpan,
      `${shownSubject(subject)} is never allowed by \`${rule.name}\`: ${theDenies(denies)} every such call`,
      {
        ...told(part, denies, lock),
        help: 'take the subject out of the allow, or except it from the deny',
      },
    )
  }
}

function theDenies(denies: readonly ResolvedRule[]): string {
  return `${listSome(denies.map(deny => deny.name))} ${denies.length === 1 ? 'denies' : 'deny'}`
}
function shownSubject({ roles, agents, tenants }: SubjectPattern): string {
  const parts = [
    ...roles.map(name => `role \`${name}\``),
    ...agents.map(name => `agent \`${name}\``),
    ...tenants.map(name => `tenant \`${name}\``),
  ]
  return parts.length === 0 ? '`any`' : parts.join(' in ')
}

function told(rule: ResolvedRule, denies: readonly ResolvedRule[], lock: Lock | undefined): Pick<Diagnostic, 'labels' | 'witness'> {
  const labels = denies.slice(0, 3).map(deny => ({ span: deny.nameSpan, text: 'this deny wins' }))
  const witness = witnessFor(rule, denies, lock)
  return witness ? { labels, witness } : { labels }
}

/** A call that the allow means, and that a deny denies. */
function witnessFor(rule: ResolvedRule, denies: readonly ResolvedRule[], lock: Lock | undefined): Diagnostic['witness'] {
  const place = placesOf(rule, lock)?.[0] ?? placeUnder(rule)
  if (!place || rule.after || denies.some(deny => deny.after)) return undefined
  const schema = 'schema' in place ? place.schema : undefined
  const model = solve(formulasOf(rule).applies, schema === undefined ? undefined : backgroundOf(schema))
  if (typeof model === 'string') return undefined
  const call = witnessOf(model, place)
  return call && tryOut(rule, call) === true && denies.some(deny => tryOut(deny, call)) ? call : undefined
}
