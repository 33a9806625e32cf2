// The plugin's hooks: one count a request, taken back where nothing came of it.
import { type Deny, deny, type Exchange, type Hooks, type Obligation, type Outcome, type PluginContext, pass } from 'mcpgw/plugin'
import { createBuckets } from './buckets.ts'
import type { RatelimitConfig } from './config.ts'
import { Counters } from './counters.ts'
import { keyOf, type Limit, readLimit } from './limit.ts'
import type { Mark } from './window.ts'

const governed: ReadonlySet<string> = new Set(['call', 'read', 'prompt', 'method'])
const maxLimits = 10_000

export function createHooks({ config, clock, metrics }: PluginContext<RatelimitConfig>): Hooks {
  const denied = metrics.counter('denied', 'Requests refused by a limit, by whom it counts.', ['by'])
  const buckets = createBuckets(config)
  const limits = new Map<string, Limit | undefined>()
  const counters = new Map<string, Counters>()
  const marks = new WeakMap<Exchange, Mark[]>()

  function tooMany(by: string, detail: string, waitMs: number): Deny {
    denied.inc({ by })
    return deny('rate-limited', 'too many requests', { detail, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) })
  }

  function limitOf(obligation: Obligation): Limit | undefined {
    const text = JSON.stringify(obligation.args)
    if (!limits.has(text)) {
      if (limits.size >= maxLimits) limits.clear()
      limits.set(text, readLimit(obligation))
    }
    return limits.get(text)
  }

  function countersOf({ most, perMs, text }: Limit): Counters {
    let found = counters.get(text)
    if (found === undefined) {
      found = new Counters(most, perMs)
      counters.set(text, found)
    }
    return found
  }

  return {
    onRequest(x) {
      if (x.direction !== 'to-server' || !governed.has(x.resource.kind)) return pass
      const waitMs = buckets.take(x, clock.mono())
      return waitMs === undefined ? pass : tooMany('default', 'more requests a minute than are allowed', waitMs)
    },
    discharge(obligation, stage) {
      if (stage.at !== 'request') return pass
      const limit = limitOf(obligation)
      if (limit === undefined) return deny('unmet-obligation', 'denied', { detail: 'a limit is written limit(20, per: 1h, by: principal)' })
      const { exchange } = stage
      const counted = countersOf(limit).count(keyOf(limit.by, exchange), clock.mono())
      if (typeof counted === 'number') return tooMany(limit.by, `limit ${limit.most} per ${limit.perMs / 1000}s by ${limit.by}`, counted)
      const own = marks.get(exchange)
      if (own === undefined) marks.set(exchange, [counted])
      else own.push(counted)
      return pass
    },
    // A call that was refused after all was none; one that asks for input is made again.
    onSettled(x: Exchange, outcome: Outcome) {
      const own = marks.get(x)
      if (own === undefined) return
      const isNone = outcome.kind === 'denied' || (outcome.kind === 'answered' && outcome.isInputRequired === true)
      if (isNone) for (const mark of own) mark.count -= 1
      marks.delete(x)
    },
  }
}
