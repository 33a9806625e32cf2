// A real Redis server whose clock, absence and silence a test decides: the scripts are those of the product, but for what goes by the clock of Redis.
import type { Redis, RedisReply, RedisState } from 'mcpgw/plugin'
import { CLOCK } from '../../../plugins/ratelimit/script.ts'

export const GIVEN_CLOCK = '\nlocal now = tonumber(ARGV[#ARGV])'

/** Redis lets keys go by its own clock, which goes on while that of the test stands. */
const stage = (script: string): string => script.replace(CLOCK, GIVEN_CLOCK).replace(/'PX', [^)]*\) \+ 1/g, "'PX', 600000")

export class StagedRedis implements Redis {
  readonly name = 'redis://staged'
  state: RedisState = { isUp: true, since: 0 }
  /** Scripts are run, and their answers are lost. */
  isSilent = false
  readonly #real: Redis
  readonly #now: () => number
  readonly #watchers: ((state: RedisState) => void)[] = []

  constructor(real: Redis, now: () => number) {
    this.#real = real
    this.#now = now
  }

  turn(isUp: boolean): void {
    this.state = { isUp, since: 0, ...(!isUp && { why: 'staged' }) }
    for (const tell of this.#watchers) tell(this.state)
  }

  watch(tell: (state: RedisState) => void): void {
    this.#watchers.push(tell)
  }

  async connect(): Promise<void> {}

  async run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<RedisReply> {
    if (!this.state.isUp) throw new Error('staged')
    const reply = await this.#real.run(stage(script), keys, [...args, this.#now()])
    if (!this.isSilent) return reply
    this.turn(false)
    throw new Error('no answer')
  }

  async close(): Promise<void> {}
}
