// The plugin's hooks: an answer that is kept is given; one that comes is kept where it may be; one that has ended stands in for a server that is away.
import {
  type Answer,
  type Awaitable,
  answer,
  DecisionBasis,
  type Exchange,
  type Hooks,
  type JsonObject,
  type PluginContext,
  pass,
  type RequestVerdict,
  type ResponseVerdict,
  type ServerChange,
} from 'mcpgw/plugin'
import type { CacheConfig, RuleConfig } from './config.ts'
import { createFlights } from './flights.ts'
import { type Keys, keysOf } from './key.ts'
import { lifetimeOf } from './lifetime.ts'
import { createCounts } from './metrics.ts'
import { compileRules } from './rules.ts'
import { type Entry, Shelf } from './shelf.ts'

/** A request that nothing was kept for. */
interface Asked {
  readonly rule: RuleConfig
  readonly server: string
  readonly keys: Keys
  /** Its answer is not kept: it has been given from here, or the server asked a client for something meanwhile, and goes by what that said. */
  isSpoilt: boolean
}

const SWEEP_MS = 10_000
const UNREACHED: ReadonlySet<string | undefined> = new Set([
  'upstream-unavailable',
  'upstream-busy',
  'upstream-crashed',
  'upstream-timeout',
])
const OF = { call: 'tools', read: 'resources', prompt: 'prompts' } as const
const GONE = 'the plugin that decides gives no "decision-basis": answers could outlive what they were decided by'

export function createHooks(ctx: PluginContext<CacheConfig>): Hooks {
  const { config, clock, onStop } = ctx
  const ruleOf = compileRules(config)
  const counts = createCounts(ctx.metrics)
  const shelf = new Shelf(config, why => counts.gone(why))
  const flights = createFlights(clock)
  const waiting = new Map<Exchange, Asked>()
  const generations = new Map<string, number>()
  let basis: DecisionBasis | undefined
  let stopSweeping: (() => void) | undefined

  const generationOf = (server: string, of: ServerChange['of']): number => generations.get(`${of} ${server}`) ?? 0

  function find({ shared, own }: Keys, isGood: (entry: Entry) => boolean): Entry | undefined {
    const now = clock.mono()
    for (const key of shared === undefined ? [own] : [shared, own]) {
      const entry = shelf.find(key, now)
      if (entry !== undefined && isGood(entry)) return entry
    }
    return undefined
  }

  /** Undefined where nothing fresh is kept. */
  function fresh(x: Exchange, keys: Keys, server: string): RequestVerdict | undefined {
    const now = clock.mono()
    const entry = find(keys, one => now < one.freshUntil)
    if (entry === undefined) return undefined
    counts.answered('hit', server)
    x.note('cache.answer', { ageMs: Math.round(now - entry.at) })
    const members = entry.isHinted ? { ttlMs: Math.floor(entry.freshUntil - now) } : undefined
    return answer(entry.bytes, { isError: entry.isError, ...(members && { members }) })
  }

  /** In place of an error; undefined where nothing is kept for that. */
  function stale(x: Exchange, { keys, server }: Asked): ResponseVerdict | undefined {
    const entry = find(keys, one => !one.isError && one.freshUntil < one.staleUntil)
    if (entry === undefined) return undefined
    const ageMs = Math.round(clock.mono() - entry.at)
    counts.answered('stale', server)
    x.note('cache.answer', { ageMs, stale: true })
    const meta = { ...(entry.meta as JsonObject | undefined), 'mcpgw/cache': { stale: true, ageMs } }
    return answer(entry.bytes, { members: { _meta: meta, ...(entry.isHinted && { ttlMs: 0 }) } })
  }

  function keep({ rule, keys, server }: Asked, given: Answer): void {
    const payload = given.given ?? given.payload
    const lifetime = lifetimeOf(given, payload, rule)
    if (typeof lifetime === 'string') return counts.unkept(lifetime, server)
    const now = clock.mono()
    const freshUntil = now + lifetime.ttl
    const isError = given.kind === 'error'
    const entry: Entry = {
      // A copy: a part of a message would keep the whole of it in memory.
      bytes: new Uint8Array(payload.bytes),
      isError,
      meta: lifetime.staleIfError === 0 ? undefined : (payload.value as JsonObject)._meta,
      isHinted: lifetime.isHinted,
      at: now,
      freshUntil,
      staleUntil: freshUntil + lifetime.staleIfError,
    }
    const key = lifetime.isPrivate || keys.shared === undefined ? keys.own : keys.shared
    if (!shelf.keep(key, entry)) return counts.unkept('too-large', server)
    counts.room(shelf.size, shelf.bytes)
    stopSweeping ??= clock.after(SWEEP_MS, sweep)
  }

  function sweep(): void {
    shelf.sweep(clock.mono())
    counts.room(shelf.size, shelf.bytes)
    stopSweeping = shelf.size === 0 ? undefined : clock.after(SWEEP_MS, sweep)
  }
  onStop(() => {
    stopSweeping?.()
    shelf.clear()
  })

  function miss(x: Exchange, asked: Asked): RequestVerdict {
    counts.missed(asked.server)
    waiting.set(x, asked)
    if (asked.rule.together !== undefined) flights.begin(x, asked.keys)
    return pass
  }

  function onRequest(x: Exchange): Awaitable<RequestVerdict> {
    if (x.direction === 'to-client') {
      if ('server' in x.resource) for (const one of waiting.values()) if (one.server === x.resource.server) one.isSpoilt = true
      return pass
    }
    const found = ruleOf(x)
    if (found === undefined || isStep(x) || isSecret(x)) return pass
    const { rule, resource } = found
    const { server } = resource
    const keys = keysOf(x, resource, rule.scope, basis?.digest() ?? '', generationOf(server, OF[resource.kind]))
    const asked: Asked = { rule, server, keys, isSpoilt: false }
    const known = fresh(x, keys, server)
    if (known !== undefined) return known
    const other = rule.together === undefined ? undefined : flights.wait(keys, rule.together)
    return other === undefined ? miss(x, asked) : other.then(() => fresh(x, keys, server) ?? miss(x, asked))
  }

  return {
    start() {
      basis = ctx.find(DecisionBasis)
      if (!ctx.open && basis === undefined) throw new Error(GONE)
    },
    onRequest,
    onResponse(x, given) {
      const asked = waiting.get(x)
      if (asked === undefined) return pass
      if (given.kind === 'error' && UNREACHED.has(given.code)) {
        asked.isSpoilt = true
        return stale(x, asked) ?? pass
      }
      if (!asked.isSpoilt) keep(asked, given)
      return pass
    },
    onSettled(x) {
      waiting.delete(x)
      flights.end(x)
    },
    onServerChange({ server, of }) {
      generations.set(`${of} ${server}`, generationOf(server, of) + 1)
      counts.changed(server)
    },
  }
}

function isSecret({ resource }: Exchange): boolean {
  return resource.kind === 'call' && resource.secret === true
}

/** A request that is made again with what was asked for, or one for a task: a step of something that is longer than itself. */
function isStep({ params }: Exchange): boolean {
  const given = params.value as JsonObject
  return given.requestState !== undefined || given.inputResponses !== undefined || given.task !== undefined
}
