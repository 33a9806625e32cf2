// Whether limits are counted by all gateways together, in Redis, or by this one alone; each change shows in health, log and record.
import { type PluginContext, Recording, type Redis } from 'mcpgw/plugin'

/** After an answer that is none, Redis is left alone for so long, and each time for twice as long. */
const firstHoldMs = 1000
const longestHoldMs = 60_000

export interface Sharing {
  /** Of this time of sharing, from 1; undefined: this gateway counts alone. */
  readonly generation: number | undefined
  /** A script has failed, or said what it never says. */
  failed(why: string): void
  /** Calls back when sharing begins, with its generation. */
  onShared(begin: () => void): void
  start(): Promise<void>
}

type SharingContext = Pick<PluginContext, 'clock' | 'log' | 'health' | 'find' | 'metrics'>

export function createSharing(redis: Redis, { clock, log, health, find, metrics }: SharingContext): Sharing {
  const gauge = metrics.gauge('shared', '1 while limits are counted with other gateways, 0 while this one counts alone.')
  const begins: (() => void)[] = []
  let generation = 0
  let isShared: boolean | undefined
  let since = clock.now()
  let odd: string | undefined
  let holdMs = firstHoldMs
  let goodSince = 0
  let recorded: Promise<void> = Promise.resolve()

  redis.watch(update)

  function update(): void {
    const { isUp, why = 'not there' } = redis.state
    const next = isUp && odd === undefined
    if (next === isShared) return
    const isFirst = isShared === undefined
    const after = clock.now() - since
    isShared = next
    since = clock.now()
    gauge.set(next ? 1 : 0)
    if (next) {
      generation += 1
      goodSince = clock.mono()
      health(undefined)
      for (const begin of begins) begin()
      if (isFirst) return log.info('limits are counted together with other gateways', { store: redis.name })
      log.info('limits are counted together again', { store: redis.name, aloneMs: after })
      return record('ratelimit.shared', true, { store: redis.name, aloneMs: after })
    }
    const reason = odd ?? why
    health({ status: 'degraded', why: `each gateway counts its limits alone: ${redis.name}: ${reason}` })
    log.warn('limits are counted by this gateway alone', { store: redis.name, why: reason })
    record('ratelimit.fallback', false, { store: redis.name, why: reason })
  }

  function record(type: string, success: boolean, detail: Record<string, string | number>): void {
    recorded = recorded
      .then(() => find(Recording)?.event({ type, success, detail }))
      .catch(error => log.error('a change of how limits are counted is not on record', { type, error: String(error) }))
  }

  return {
    get generation() {
      return isShared === true ? generation : undefined
    },
    failed(why) {
      // Where the connection is lost, that has been told.
      if (!redis.state.isUp || odd !== undefined) return
      holdMs = clock.mono() - goodSince > longestHoldMs ? firstHoldMs : Math.min(2 * holdMs, longestHoldMs)
      odd = why
      update()
      clock.after(holdMs, () => {
        odd = undefined
        update()
      })
    },
    onShared: begin => void begins.push(begin),
    async start() {
      await redis.connect()
      update()
    },
  }
}
