// The plugin's hooks: what a request counts is counted in one go; what a policy limits is taken back where nothing came of it.
import {
  type Awaitable,
  type Deny,
  Directory,
  deny,
  type Exchange,
  type Hooks,
  type Obligation,
  type Outcome,
  type PluginContext,
  pass,
  type SealedVerdict,
} from 'mcpgw/plugin'
import type { Count, Counts, LimitName, Short, Taken } from './cell.ts'
import type { RatelimitConfig } from './config.ts'
import { createLeases } from './leases.ts'
import { type Limit, readLimit } from './limit.ts'
import { LocalCounts } from './local-counts.ts'
import { type AtOnce, compileAtOnce, compileRules } from './rules.ts'
import { SharedCounts } from './shared-counts.ts'
import { createSharing } from './sharing.ts'
import { whoseOf } from './whose.ts'

const maxLimits = 10_000

/** A key may be made later; one that is misspelt has the default, or no limit at all. */
function tellUnknownKeys({ config, find, log }: PluginContext<RatelimitConfig>): void {
  const directory = find(Directory)
  const unknown = Object.keys(config.keys).filter(id => directory?.hasKey(id) === false)
  if (unknown.length > 0) log.warn('ratelimit.keys names keys that there are not; `mcpgw keys list` shows the ids', { keys: unknown })
}

export function createHooks(ctx: PluginContext<RatelimitConfig>): Hooks {
  const { config, clock, metrics, stores, onStop } = ctx
  const denied = metrics.counter('denied_total', 'Requests refused by a limit, by whom it counts.', ['by'])
  const rules = compileRules(config)
  const local = new LocalCounts(clock.mono)
  const redis = stores.redis()
  const sharing = redis && createSharing(redis, ctx)
  const counts: Counts = redis && sharing ? new SharedCounts(redis, sharing, local, clock.mono) : local
  if (redis !== undefined) onStop(() => redis.close())
  const atOnce = compileAtOnce(config)
  const leases = createLeases(atOnce, clock, redis && sharing && { redis, sharing })
  const limits = new Map<string, Limit | undefined>()
  const taken = new WeakMap<Exchange, Taken[]>()

  function tooMany({ text, by }: LimitName, waitMs: number): Deny {
    denied.inc({ by })
    return deny('rate-limited', 'too many requests', { detail: text, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) })
  }

  function take<T>(asked: readonly Count[], then: (taken: Taken) => T): Awaitable<T | Deny> {
    const conclude = (result: Taken | Short): T | Deny =>
      result.kind === 'taken' ? then(result) : tooMany(asked[result.index]!.limit, result.waitMs)
    const result = counts.take(asked)
    return result instanceof Promise ? result.then(conclude) : conclude(result)
  }

  function limitOf(obligation: Obligation): Limit | undefined {
    const text = JSON.stringify(obligation.args)
    if (!limits.has(text)) {
      if (limits.size >= maxLimits) limits.clear()
      limits.set(text, readLimit(obligation))
    }
    return limits.get(text)
  }

  return {
    start() {
      tellUnknownKeys(ctx)
      return sharing?.start()
    },
    onRequest(x) {
      const asked: Count[] = []
      for (const rule of rules) rule(x, asked)
      return asked.length === 0 ? pass : take(asked, () => pass)
    },
    discharge(obligation, stage) {
      if (stage.at !== 'request') return pass
      const limit = limitOf(obligation)
      if (limit === undefined) return deny('unmet-obligation', 'denied', { detail: 'a limit is written limit(20, per: 1h, by: principal)' })
      const { exchange } = stage
      const { most, perMs, by, cell } = limit
      const name: LimitName = { text: `limit ${most} per ${perMs / 1000}s by ${by}`, by }
      return take([{ cell, whose: whoseOf(by, exchange), cost: 1, limit: name }], one => {
        const own = taken.get(exchange)
        if (own === undefined) taken.set(exchange, [one])
        else own.push(one)
        return pass
      })
    },
    ...(atOnce.length > 0 && {
      onSealed(x: Exchange) {
        const conclude = (full: AtOnce | undefined): SealedVerdict => (full === undefined ? pass : tooMany(full.limit, 0))
        const full = leases.acquire(x)
        return full instanceof Promise ? full.then(conclude) : conclude(full)
      },
    }),
    onSettled(x: Exchange, outcome: Outcome) {
      const waits = [leases.release(x), ...takeBack(x, outcome)].filter(one => one instanceof Promise)
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => {})
    },
  }

  /** A call that was refused after all was none; one that asks for input is made again. */
  function takeBack(x: Exchange, outcome: Outcome): Awaitable<void>[] {
    const own = taken.get(x)
    taken.delete(x)
    const isNone = outcome.kind === 'denied' || (outcome.kind === 'answered' && outcome.isInputRequired === true)
    return isNone && own !== undefined ? own.map(one => one.takeBack()) : []
  }
}
