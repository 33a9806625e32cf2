// A lane to a server of which there are several instances: a lane to each, and for each request the choice among them.
// Where the server keeps a session for this lane alone, it stays with one instance, and moves only when that one is away.
import { timedOut, within } from '../clock.ts'
import type { ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import type { ListKind } from '../mcp/methods.ts'
import type { Era } from '../mcp/modern.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { LaneCall } from './calls.ts'
import type { Agreement } from './handshake.ts'
import type { Instances } from './instances.ts'
import type { Lane, ServerLane } from './lane.ts'
import { endOfVisit } from './pace.ts'
import { LEGACY_ONLY } from './speech.ts'
import type { TransportFault } from './transport.ts'
import { faultAnswer, isUndelivered, undelivered } from './way.ts'

export interface SpreadOptions {
  readonly server: ServerConfig
  /** Whose lane it is. */
  readonly owner: string
  readonly instances: Instances
  readonly clock: Clock
  readonly log: Log
  create(server: ServerConfig, index: number): ServerLane
  /** Lists and subscriptions are now those of another instance, which is open. */
  led(agreement: Agreement): void
}

/** Until an instance that was left alone says that it is there. */
const PROBE_MS = 5000

export class SpreadLane implements Lane {
  readonly server: ServerConfig
  requests = 0
  readonly #options: SpreadOptions
  readonly #lanes: (ServerLane | undefined)[]
  /** Of whom lists are asked and what is subscribed to; where there is a session, also all else. */
  #leader: number | undefined
  #era: Era | undefined
  #level: Json | undefined
  #isClosed = false

  constructor(options: SpreadOptions) {
    this.#options = options
    this.server = options.server
    this.#lanes = options.instances.servers.map(() => undefined)
  }

  get agreement(): Agreement | undefined {
    return this.#leading?.agreement
  }

  get isOpen(): boolean {
    return this.agreement !== undefined
  }

  get declares(): boolean {
    return this.#leading?.declares === true
  }

  get isBusy(): boolean {
    return this.#lanes.some(lane => lane?.isBusy)
  }

  promises(kind: ListKind): boolean {
    return this.#leading?.promises(kind) === true
  }

  /** What this instance says is heard, and it is kept running: where there is a session, of no other. */
  hears(index: number): boolean {
    return !this.#isBound || this.#leader === index
  }

  leads(index: number): boolean {
    return this.#leader === index
  }

  async ready(): Promise<Agreement | TransportFault> {
    const tried = new Set<number>()
    let fault: TransportFault = { code: 'upstream-unavailable', detail: 'closed' }
    for (let index = this.#lead(tried); index !== undefined && !this.#isClosed; index = this.#lead(tried)) {
      tried.add(index)
      const ready = await this.#open(index)
      if (!('detail' in ready) || isOfOne(ready)) return ready
      fault = ready
    }
    return fault
  }

  async request(method: string, params: Json | undefined, call: LaneCall = {}): Promise<Answer> {
    if (!method.endsWith('/list')) this.requests++
    this.#probeWhoIsDue()
    if (method === 'logging/setLevel') this.#level = params
    const tried = new Set<number>()
    let answer = errorAnswer('upstream-unavailable', { server: this.server.id })
    for (;;) {
      const index = this.#pick(method, call.owner ?? this.#options.owner, tried)
      if (index === undefined || this.#isClosed) return answer
      tried.add(index)
      const got = await this.#through(index, method, params, call)
      if (!isUndelivered(got)) {
        if (method === 'logging/setLevel') this.#tellOthers(index)
        return got
      }
      answer = got.instead
      if (call.cancel?.cancelled) return errorAnswer('cancelled', { server: this.server.id })
    }
  }

  notify(method: string, params: Json | undefined): void {
    for (const [index, lane] of this.#lanes.entries()) if (lane?.isOpen && this.hears(index)) lane.notify(method, params)
  }

  /** A new session has begun with an instance that does not lead. */
  tellLevel(index: number): void {
    const lane = this.#lanes[index]
    if (this.#level === undefined || lane?.agreement?.capabilities.get('logging') === undefined) return
    void lane.request('logging/setLevel', this.#level)
  }

  async drop(fault: TransportFault): Promise<void> {
    await Promise.all(this.#lanes.flatMap(lane => (lane === undefined ? [] : [lane.drop(fault)])))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#lanes.flatMap(lane => (lane === undefined ? [] : [lane.close()])))
  }

  get #leading(): ServerLane | undefined {
    return this.#leader === undefined ? undefined : this.#lanes[this.#leader]
  }

  /** A session that is this lane's alone holds state. */
  get #isBound(): boolean {
    return !this.server.shared && this.#era !== 'modern' && this.server.kind !== 'rest'
  }

  #pick(method: string, owner: string, tried: ReadonlySet<number>): number | undefined {
    if (this.#isBound || method.endsWith('/list') || LEGACY_ONLY.has(method)) return this.#lead(tried)
    return this.#onTrial(tried) ?? this.#options.instances.choose(owner, index => !tried.has(index))
  }

  #lead(tried: ReadonlySet<number>): number | undefined {
    const { instances, owner } = this.#options
    const now = this.#leader
    const isLeft = now !== undefined && !tried.has(now)
    if (isLeft && !instances.outliers.isAway(now)) return now
    const next = this.#onTrial(tried) ?? instances.choose(owner, index => !tried.has(index))
    if (next === undefined || next === now) return next
    // Where all are away, nothing is gained by going elsewhere.
    if (isLeft && instances.outliers.isAway(next)) return now
    this.#follow(next)
    return next
  }

  #onTrial(tried: ReadonlySet<number>): number | undefined {
    const { servers, outliers } = this.#options.instances
    const found = servers.findIndex((_, index) => outliers.isOnTrial(index) && !tried.has(index))
    return found < 0 ? undefined : found
  }

  #follow(next: number): void {
    const before = this.#leading
    if (this.#isBound && before !== undefined && !before.isBusy) {
      this.#lanes[this.#leader!] = undefined
      this.#end(before)
    }
    this.#leader = next
    const { agreement } = this.#lane(next)
    if (agreement !== undefined) this.#options.led(agreement)
  }

  #lane(index: number): ServerLane {
    const known = this.#lanes[index]
    if (known !== undefined) return known
    const made = this.#options.create(this.#options.instances.servers[index]!, index)
    this.#lanes[index] = made
    return made
  }

  async #open(index: number): Promise<Agreement | TransportFault> {
    const lane = this.#lane(index)
    const ready = lane.agreement ?? (await lane.ready())
    if (!('detail' in ready)) this.#era = ready.era
    else if (!isOfOne(ready) && !lane.isClosed && !isRefusal(ready)) this.#options.instances.outliers.missed(index, ready.retryAfterMs)
    return ready
  }

  async #through(index: number, method: string, params: Json | undefined, call: LaneCall): Promise<Answer> {
    const { outliers } = this.#options.instances
    const ready = await this.#open(index)
    if ('detail' in ready) {
      const answer = faultAnswer(this.server.id, ready)
      return isOfOne(ready) || isUndelivered(answer) ? answer : undelivered(answer)
    }
    const visit = outliers.begin(index)
    const answer = await this.#lane(index).request(method, params, call, true)
    outliers.end(index, visit, endOfVisit(answer))
    if (isUndelivered(answer) && answer.instead.code !== 'upstream-busy') outliers.missed(index)
    return answer
  }

  #tellOthers(told: number): void {
    for (const index of this.#lanes.keys()) if (index !== told && this.hears(index)) this.tellLevel(index)
  }

  #probeWhoIsDue(): void {
    const { instances, log } = this.#options
    const due = instances.outliers.due()
    if (due === undefined) return
    this.#isThere(due)
      .then(isThere => instances.outliers.asked(due, isThere))
      .catch(error =>
        log.error('bug: an instance could not be asked whether it is there', { server: this.server.id, error: String(error) }),
      )
  }

  /** Asked with what changes nothing, so that no call of anybody has to find out. */
  async #isThere(index: number): Promise<boolean> {
    const lane = this.#lane(index)
    const ready = lane.agreement ?? (await lane.ready())
    if ('detail' in ready) return false
    const method = ready.era === 'modern' ? 'server/discover' : 'ping'
    const answer = await within(this.#options.clock, PROBE_MS, () => lane.request(method, undefined))
    if (this.#isBound && !this.leads(index)) {
      this.#lanes[index] = undefined
      this.#end(lane)
    }
    return answer !== timedOut && answer.code === undefined
  }

  #end(lane: ServerLane): void {
    lane.close().catch(error => this.#options.log.warn('lane did not close', { server: this.server.id, error: String(error) }))
  }
}

/** What one caller lacks, and what an operator has killed, is not mended by another instance. */
function isOfOne({ code }: TransportFault): boolean {
  return code === 'upstream-credential' || code === 'killed'
}

/** The server is there, and wants no session with this client. */
function isRefusal({ status }: TransportFault): boolean {
  return status !== undefined && status < 500
}
