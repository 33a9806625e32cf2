// A resolved rule made ready to be asked: its patterns as matchers, its own obligations merged.

import type { Action } from '../ast.ts'
import type { ResolvedRule, TargetPattern } from '../bundle/bundle.ts'
import type { Duty } from '../decision.ts'
import type { Subject } from '../facts.ts'
import { mergeOwn } from './duties.ts'
import type { Matcher } from './glob.ts'
import { isAnyOf } from './subject.ts'
import { nameMatcher, serverMatcher } from './target.ts'

export interface CompiledRule {
  readonly rule: ResolvedRule
  /** Its place in the bundle: rules are reported in this order. */
  readonly place: number
  readonly targets: readonly CompiledTarget[]
  readonly notTargets: readonly CompiledTarget[]
  readonly duties: readonly Duty[]
  /** The decision that looked at it last, so that none looks twice. */
  seenIn: number
}
export interface CompiledTarget {
  readonly action: Action
  readonly pattern: TargetPattern
  readonly matchesServer: Matcher
  readonly matchesName: Matcher
}

export function compileRule(rule: ResolvedRule, place: number): CompiledRule {
  const { targets, notTargets, obligations } = rule
  return {
    rule,
    place,
    targets: targets.map(compileTarget),
    notTargets: notTargets.map(compileTarget),
    duties: mergeOwn(obligations),
    seenIn: 0,
  }
}

function compileTarget(pattern: TargetPattern): CompiledTarget {
  return { action: pattern.action, pattern, matchesServer: serverMatcher(pattern.server), matchesName: nameMatcher(pattern) }
}

export function isAbout({ targets, notTargets }: CompiledRule, action: Action, server: string, name: string): boolean {
  return matchesOne(targets, action, server, name) && !matchesOne(notTargets, action, server, name)
}

function matchesOne(targets: readonly CompiledTarget[], action: Action, server: string, name: string): boolean {
  for (const target of targets) if (target.action === action && target.matchesServer(server) && target.matchesName(name)) return true
  return false
}

export function isFor({ rule }: CompiledRule, subject: Subject): boolean {
  return isAnyOf(rule.who, subject) && !(rule.notWho.length > 0 && isAnyOf(rule.notWho, subject))
}

/** An allow whose last day is over. A time that is none is after every day. */
export function isOver({ rule }: CompiledRule, time: number): boolean {
  return rule.expiresAt !== undefined && rule.effect === 'allow' && !(time < rule.expiresAt)
}
