// Reads what a hook returned: a verdict of the kinds that this hook may give, or nothing.
import { freezeCopy, freezeDeep } from '../freeze.ts'
import type { Obligation, Principal, Rate } from '../plugin/index.ts'
import {
  type Allow,
  type AnswerVerdict,
  type Deny,
  type Drop,
  type Identify,
  type Narrow,
  type Pass,
  pass,
  type Rewrite,
} from '../plugin/verdict.ts'

export type Verdict = Pass | Identify | Allow | Deny | Rewrite | AnswerVerdict | Drop | Narrow
type Kind = Verdict['kind']

/** Undefined where it is garbage: another kind, a member of the wrong type, or something that throws when it is read. */
export function readVerdict<K extends Kind>(value: unknown, kinds: readonly K[]): Extract<Verdict, { kind: K }> | undefined {
  if (value === pass) return value as Extract<Verdict, { kind: K }>
  if (typeof value !== 'object' || value === null) return undefined
  try {
    const verdict = copyVerdict(value)
    if (!kinds.includes(verdict.kind as K)) return undefined
    return shapes[verdict.kind as Kind](verdict as never) ? (verdict as Extract<Verdict, { kind: K }>) : undefined
  } catch {
    return undefined
  }
}

/** What a plugin returned is read once: an accessor may throw, or say something else the next time. */
function copyVerdict(value: object): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = { ...value }
  for (const name of LISTS) if (Array.isArray(copy[name])) copy[name] = copy[name].map(freezeCopy)
  if (copy.principal !== undefined) freezeDeep(copy.principal)
  return copy
}

const LISTS = ['rules', 'obligations', 'keep'] as const

const shapes: { readonly [K in Kind]: (verdict: Extract<Verdict, { kind: K }>) => boolean } = {
  pass: () => true,
  drop: () => true,
  identify: ({ principal }) => isPrincipal(principal),
  allow: ({ rules, obligations }) => isStrings(rules) && Array.isArray(obligations) && obligations.every(isObligation),
  deny: ({ code, reason, rules, detail, retryAfter, challenge }) =>
    isCode(code) &&
    typeof reason === 'string' &&
    (rules === undefined || isStrings(rules)) &&
    (detail === undefined || typeof detail === 'string') &&
    (retryAfter === undefined || (typeof retryAfter === 'number' && retryAfter >= 0)) &&
    (challenge === undefined || isHeaderValue(challenge)),
  rewrite: ({ value }) => value !== undefined,
  answer: ({ value, isError, members }) =>
    value !== undefined && (isError === undefined || typeof isError === 'boolean') && (members === undefined || isObject(members)),
  narrow: ({ keep }) => Array.isArray(keep) && keep.every(stays => typeof stays === 'boolean'),
}

/** A line break in it would begin another header. */
function isHeaderValue(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)
}

function isPrincipal(principal: Principal): boolean {
  return (
    isObject(principal) &&
    isId(principal.id) &&
    isStrings(principal.roles) &&
    isId(principal.tenant) &&
    isObject(principal.claims) &&
    isObject(principal.via) &&
    isId(principal.via.method) &&
    (principal.via.issuer === undefined || isId(principal.via.issuer)) &&
    (principal.rate === undefined || isRate(principal.rate))
  )
}

function isRate(rate: Rate): boolean {
  return isObject(rate) && isId(rate.of) && [rate.most, rate.perMs].every(n => Number.isSafeInteger(n) && n > 0)
}

/** Invariant: whose something is, is texts with a NUL between them (owner.ts), so that none of them holds one. */
function isId(value: unknown): boolean {
  return isText(value) && !value.includes('\0')
}

function isObligation(obligation: Obligation): boolean {
  return isObject(obligation) && isText(obligation.name) && Array.isArray(obligation.args) && obligation.args.every(isArgument)
}

function isArgument(argument: Obligation['args'][number]): boolean {
  if (!isObject(argument)) return false
  const { name, value } = argument
  return (
    (name === undefined || typeof name === 'string') && (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value)))
  )
}

function isCode(code: unknown): boolean {
  return typeof code === 'string' && /^[a-z][a-z0-9-]*$/.test(code)
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
