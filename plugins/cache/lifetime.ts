// Whether an answer may be kept, for how long and for whom: what the rule says, and of it what the server agrees to.
import type { Answer, JsonObject, Payload } from 'mcpgw/plugin'
import type { RuleConfig } from './config.ts'

export interface Lifetime {
  readonly ttl: number
  readonly staleIfError: number
  /** The server says that it is for nobody else. */
  readonly isPrivate: boolean
  readonly isHinted: boolean
}

export type Unkept = 'error' | 'incomplete' | 'too-large' | 'server-says-no'

/** `payload`: of the answer, as the server gave it. */
export function lifetimeOf(answer: Answer, payload: Payload, rule: RuleConfig): Lifetime | Unkept {
  if (payload.bytes.length > rule.maxResultBytes) return 'too-large'
  if (answer.kind === 'error' || answer.isToolError === true) {
    // What the gateway says itself, it says anew.
    if (rule.negative === undefined || answer.code !== undefined) return 'error'
    return { ttl: rule.negative, staleIfError: 0, isPrivate: true, isHinted: false }
  }
  const result = payload.value as JsonObject
  const { resultType = 'complete' } = result
  // A task is a promise of a result, and one that asks for input is none.
  if (answer.isInputRequired === true || resultType !== 'complete' || Object.hasOwn(result, 'task')) return 'incomplete'
  const { ttlMs, cacheScope } = result
  const ttl = ttlMs === undefined ? rule.ttl : Math.min(rule.ttl, readTtl(ttlMs))
  if (ttl <= 0) return 'server-says-no'
  const isPrivate = cacheScope !== undefined && cacheScope !== 'public'
  return { ttl, staleIfError: rule.staleIfError ?? 0, isPrivate, isHinted: ttlMs !== undefined }
}

/** Spec: 2026-07-28 server/utilities/caching: whole milliseconds. What is none, or negative, is no permission. */
function readTtl(given: unknown): number {
  return typeof given === 'number' && Number.isSafeInteger(given) && given > 0 ? given : 0
}
