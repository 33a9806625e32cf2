// Counts in Redis, for all gateways together, and beside them what this gateway would go on with by itself.
import { hash } from 'node:crypto'
import type { Redis, RedisReply } from 'mcpgw/plugin'
import type { Count, Counts, Short, State, Taken } from './cell.ts'
import { Floor, type Place } from './floor.ts'
import type { LocalCounts } from './local-counts.ts'
import { takeBackScript, takeScript } from './script.ts'
import type { Sharing } from './sharing.ts'

const take = takeScript()

/** One hash slot for all: a script may only touch keys of one. No name stands in a key. */
export function keyOf({ cell, whose }: Pick<Count, 'cell' | 'whose'>): string {
  return `mcpgw:{limit}:${hash('sha256', `${cell.id}\0${whose}`, 'base64url')}`
}

const forgetful = 'it says that less was counted than this gateway alone has let through'

/**
 * With Redis no more than allowed, over all gateways. Without it each gateway counts alone, on from what it knew last. Of each limit no gateway ever lets
 * through more than that limit allows, whatever Redis says, also in spans that begin or end with it.
 */
export class SharedCounts implements Counts {
  readonly #redis: Redis
  readonly #sharing: Sharing
  readonly #local: LocalCounts
  readonly #floor: Floor
  readonly #now: () => number

  constructor(redis: Redis, sharing: Sharing, local: LocalCounts, now: () => number) {
    this.#redis = redis
    this.#sharing = sharing
    this.#local = local
    this.#floor = new Floor(now)
    this.#now = now
  }

  take(counts: readonly Count[]): Taken | Short | Promise<Taken | Short> {
    const place = this.#floor.reserve(counts)
    if ('kind' in place) return place
    const { generation } = this.#sharing
    return generation === undefined ? this.#takeAlone(counts, place) : this.#ask(counts, place, generation)
  }

  async #ask(counts: readonly Count[], place: Place, generation: number): Promise<Taken | Short> {
    const keys = counts.map(keyOf)
    const before = this.#now()
    const told: Told[] = []
    const args = counts.flatMap(count => this.#argsOf(count, generation, before, told))
    let reply: RedisReply
    try {
      reply = await this.#redis.run(take, keys, args)
    } catch (error) {
      return this.#goOn(counts, place, told, (error as Error).message)
    }
    const read = readReply(reply, counts)
    if (read === undefined) return this.#goOn(counts, place, told, 'an answer that is not understood')
    if (read.short === undefined && place.knowsMore(read.used)) return this.#goOn(counts, place, told, forgetful)
    if (this.#sharing.generation === generation) this.#agree(counts, read, generation)
    // Counted alone since: what is known here is more than what Redis said.
    else if (read.short === undefined) this.#add(counts)
    if (read.short !== undefined) {
      place.leave()
      return read.short
    }
    const own = place.keep()
    return {
      kind: 'taken',
      takeBack: () => {
        void own.takeBack()
        return this.#takeBack(counts, keys, read.marks, generation)
      },
    }
  }

  /** By itself. What Redis was told it may not have heard. */
  #goOn(counts: readonly Count[], place: Place, told: readonly Told[], why: string): Taken | Short {
    for (const { state, alone } of told) state.alone += alone
    this.#sharing.failed(why)
    return this.#takeAlone(counts, place)
  }

  #takeAlone(counts: readonly Count[], place: Place): Taken | Short {
    const known = this.#local.take(counts)
    if (known.kind === 'short') {
      place.leave()
      return known
    }
    const own = place.keep()
    return {
      kind: 'taken',
      takeBack() {
        void known.takeBack()
        void own.takeBack()
      },
    }
  }

  /** Once in each time of sharing Redis is told what is known here: it may have lost it, or have missed it. */
  #argsOf(count: Count, generation: number, now: number, told: Told[]): (string | number)[] {
    const { cell, whose, cost } = count
    const state = this.#local.find(cell, whose)
    const law = cell.kind === 'window' ? ['w', cell.most, cell.spanMs, cost] : ['b', cell.everyMs, cell.depthMs, cost]
    if (state === undefined) return [...law, 0, 0, 0]
    if (state.generation === generation) return [...law, 0, 0, state.seen === '' ? 0 : state.seen]
    const known = Math.max(state.used(now), this.#floor.used(count))
    const { alone } = state
    told.push({ state, alone })
    state.alone = 0
    state.seen = ''
    state.generation = generation
    return [...law, known, Math.min(alone, known), 0]
  }

  #agree(counts: readonly Count[], { used, newer, time }: Read, generation: number): void {
    const now = this.#now()
    for (const [index, { cell, whose }] of counts.entries()) {
      const state = this.#local.open(cell, whose, now)
      if (state === undefined) continue
      state.agree(used[index]!, now, newer[index]!)
      state.generation = generation
      state.seen = time
    }
  }

  #add(counts: readonly Count[]): void {
    const now = this.#now()
    for (const { cell, whose, cost } of counts) this.#local.open(cell, whose, now)?.add(cost, now)
  }

  /** Here it is known with the next count. What cannot be taken back now stays counted. */
  async #takeBack(counts: readonly Count[], keys: readonly string[], marks: readonly string[], generation: number): Promise<void> {
    if (this.#sharing.generation !== generation) return
    const places = [...counts.keys()].filter(index => counts[index]!.cell.kind === 'window')
    const args = places.flatMap(index => [marks[index]!, counts[index]!.cost])
    const own = places.map(index => keys[index]!)
    await this.#redis.run(takeBackScript, own, args).catch(() => {})
  }
}

interface Told {
  readonly state: State
  readonly alone: number
}

interface Read {
  readonly short: Short | undefined
  /** Of a window how many, of a bucket milliseconds. */
  readonly used: readonly number[]
  readonly newer: readonly number[]
  /** As Redis tells it. */
  readonly time: string
  readonly marks: readonly string[]
}

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isTime = (value: unknown): value is string => typeof value === 'string' && /^\d{1,16}\.\d{3}$/.test(value)

/** Undefined where it is not what the script returns, or not possible. */
function readReply(reply: RedisReply, counts: readonly Count[]): Read | undefined {
  const n = counts.length
  if (!Array.isArray(reply) || reply.length !== 3 + 3 * n) return undefined
  const [place, wait, time, ...rest] = reply as readonly RedisReply[]
  const amounts = rest.slice(0, n)
  const newer = rest.slice(n, 2 * n)
  const marks = rest.slice(2 * n)
  if (!isAmount(place) || place > n || !isAmount(wait) || !isTime(time)) return undefined
  if (!amounts.every(isAmount) || !newer.every(isAmount) || !marks.every(mark => typeof mark === 'string')) return undefined
  const used = amounts.map((amount, index) => (counts[index]!.cell.kind === 'window' ? amount : amount / 1000))
  if (place > 0) return { short: { kind: 'short', index: place - 1, waitMs: Math.max(1, wait / 1000) }, used, newer, time, marks }
  const isWithin = counts.every(({ cell, cost }, index) => {
    const amount = used[index]!
    // Of what the bucket holds, microseconds are rounded up.
    return cell.kind === 'window' ? amount >= cost && amount <= cell.most : amount <= cell.depthMs + cell.everyMs / 1e6 + 1
  })
  return isWithin ? { short: undefined, used, newer, time, marks } : undefined
}
