// What every phase needs: the compiled stack, the guard, and one place where a plugin's fault becomes log line, count and refusal.
import { callOf, type LiveExchange, stateOf } from '../exchange.ts'
import { type Guard, HookFailure, type Site } from '../guard.ts'
import type { Kills } from '../kill/kills.ts'
import type { Observer } from '../metrics/exchanges.ts'
import type { Deny, Log } from '../plugin/index.ts'
import { denial, type Refusal, refuse } from '../refusal.ts'
import type { LoadedPlugin, Stack, Step } from './stack.ts'

export interface Driver {
  readonly stack: Stack
  readonly guard: Guard
  readonly log: Log
  /** What operators have killed. */
  readonly kills: { readonly now: Kills }
  /** A hook failed: counted by plugin, hook and kind. */
  onFailure(failure: HookFailure): void
  readonly observer: Observer | undefined
}

export function garbage(site: Site, got: unknown): HookFailure {
  return new HookFailure(site, 'garbage', `not a verdict of this hook: ${preview(got)}`)
}

export function undeclared(site: Site, what: string): HookFailure {
  return new HookFailure(site, 'undeclared', what)
}

/** Logs and counts. True where the plugin may fail open and did no more than fail. */
export function isForgiven(driver: Driver, x: LiveExchange | undefined, failure: HookFailure, plugin: LoadedPlugin): boolean {
  const { site, why, detail } = failure
  driver.onFailure(failure)
  driver.log.error('a plugin failed', { plugin: site.plugin, hook: site.hook, why, detail, ...(x && callOf(x)) })
  return plugin.failure === 'open' && why !== 'undeclared'
}

/** The refusal for a failed hook, in public words that name neither plugin nor hook; undefined where it counts as a pass. */
export function refuseFailure(driver: Driver, x: LiveExchange | undefined, failure: HookFailure, step: Step): Refusal | undefined {
  return isForgiven(driver, x, failure, step.plugin) ? undefined : refuse('plugin-failed', [step.plugin.name])
}

/** The refusal for a plugin's deny; its detail becomes a note, for the record. */
export function refuseDeny(driver: Driver, x: LiveExchange | undefined, verdict: Deny, plugin: string): Refusal {
  const { code, reason, retryAfter, challenge, detail } = verdict
  if (detail !== undefined) x?.note(`${plugin}.detail`, detail)
  driver.log.debug('denied', { plugin, code, rules: verdict.rules, detail, ...(x && callOf(x)) })
  return {
    code,
    reason,
    by: nameRules(plugin, verdict.rules),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(challenge !== undefined && { challenge }),
  }
}

/** `plugin/rule` for each rule, or the plugin where it names none. */
export function nameRules(plugin: string, rules: readonly string[] = []): readonly string[] {
  return rules.length === 0 ? [plugin] : rules.map(rule => `${plugin}/${rule}`)
}

/** Any denial beats any allow: from here on the decision of the exchange is a deny. */
export function refuseExchange(x: LiveExchange, refusal: Refusal): { kind: 'refused'; refusal: Refusal } {
  stateOf(x).decision = denial(refusal)
  return { kind: 'refused', refusal }
}

function preview(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 200)
  } catch {
    return `a value of type ${typeof value} that cannot be shown`
  }
}
