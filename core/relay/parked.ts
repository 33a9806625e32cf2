// A call of a stateless client to a server with sessions: where the server asks, the call waits here, and the client answers with its next request.
// Spec: 2026-07-28 basic/patterns/mrtr.
import { randomBytes } from 'node:crypto'
import { Cancel } from '../cancel.ts'
import type { Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import type { Ask } from '../upstream/calls.ts'
import type { Lane } from '../upstream/lane.ts'
import type { RelayDeps } from './deps.ts'
import { NO_PARAMS, type Tell } from './run.ts'
import { type OpenAsk, openAsk } from './to-client.ts'

/** The request of the client on which the call goes on now. */
export interface Turn {
  readonly x: LiveExchange
  readonly tell: Tell
  readonly cancel: Cancel
  readonly progressToken: Json | undefined
}

export interface ParkOptions {
  readonly deps: RelayDeps
  readonly session: Session
  readonly lane: Lane
  /** Makes the call; once. */
  send(park: Park): Promise<Answer>
  /** The state that the client is to send with its next request: it names this call and this round of it. */
  sealState(park: Park): string
  /** False where too many calls wait for their clients already. */
  mayWait(park: Park): boolean
  /** It waits for nobody any more. */
  ended(park: Park): void
}

interface Question {
  readonly method: string
  readonly open: OpenAsk
  settle(answer: Answer): void
}

/** A client that has not come back by then does not. */
const PATIENCE_MS = 5 * 60_000
/** So many notifications are kept while the client is asked. */
const MAX_UNTOLD = 100
/** What a server asks in one breath is asked together. */
const GATHER_MS = 20
/** The time that a server is given to make use of such answers before the call comes. */
const TAKEN_IN_MS = 100

export class Park {
  readonly id: string = randomBytes(12).toString('base64url')
  readonly lane: Lane
  readonly session: Session
  /** Goes to the server: of the call as a whole, whichever request of the client goes on with it. */
  readonly upstream: Cancel = new Cancel()
  /** Grows with each time that the client is asked: a state is good for one round. */
  round = 0
  readonly #options: ParkOptions
  readonly #questions = new Map<string, Question>()
  readonly #untold: { readonly method: string; readonly params: Json | undefined }[] = []
  #asked = 0
  #turn: Turn | undefined
  #lastTurn: Turn | undefined
  #resolve: ((answer: Answer) => void) | undefined
  #answer: Answer | undefined
  #hasEnded = false
  #stopTimer = (): void => {}

  constructor(options: ParkOptions) {
    this.#options = options
    this.lane = options.lane
    this.session = options.session
  }

  /** True where a request of the client waits, so that he can be asked at once. */
  get isAttended(): boolean {
    return this.#turn !== undefined
  }

  /** `before`: what is asked before the call is made. */
  start(turn: Turn, before: readonly Promise<unknown>[]): Promise<Answer> {
    const made = before.length === 0 ? this.#options.send(this) : this.#sendAfter(before)
    made.then(
      answer => this.#answered(answer),
      () => this.#answered(errorAnswer('internal')),
    )
    return this.#wait(turn)
  }

  // A server may work on what it was answered, as on the roots that replace its folders, while it takes in the next call.
  async #sendAfter(before: readonly Promise<unknown>[]): Promise<Answer> {
    await Promise.all(before)
    await new Promise<void>(resolve => this.#options.deps.clock.after(TAKEN_IN_MS, resolve))
    return this.#options.send(this)
  }

  /** The client is back. What he says nothing to is asked again. */
  resume(turn: Turn, responses: Json | undefined): Promise<Answer> {
    this.round++
    for (const [key, question] of this.#questions) {
      const response = responses?.type === 'object' ? responses.get(key) : undefined
      if (response?.type === 'object') question.settle({ kind: 'result', payload: response })
    }
    const waiting = this.#wait(turn)
    if (this.#questions.size > 0) this.#ask()
    return waiting
  }

  /** A request of the server. */
  async ask(ask: Ask): Promise<Answer> {
    const { deps, mayWait } = this.#options
    if (!mayWait(this)) return errorAnswer('rate-limited')
    const open = await openAsk(deps, this.session, this.lane, ask, this.#lastTurn && { x: this.#lastTurn.x })
    if ('answer' in open) return open.answer
    return new Promise(resolve => {
      const key = `${++this.#asked}`
      const settle = (answer: Answer) => {
        if (!this.#questions.delete(key)) return
        ask.signal.removeEventListener('abort', cancel)
        resolve(open.close(answer))
      }
      const cancel = () => settle(errorAnswer('cancelled'))
      this.#questions.set(key, { method: ask.method, open, settle })
      if (this.#hasEnded) return settle(errorAnswer('client-gone'))
      if (ask.signal.aborted) return cancel()
      ask.signal.addEventListener('abort', cancel)
      deps.clock.after(GATHER_MS, () => this.#ask())
    })
  }

  /** Of the call: on the stream of the request that waits, with its own token; what comes meanwhile is for the next one. */
  told(method: string, params: Json | undefined): void {
    if (this.#turn === undefined) {
      if (this.#untold.length < MAX_UNTOLD) this.#untold.push({ method, params })
      return
    }
    const { tell, progressToken } = this.#turn
    if (method !== 'notifications/progress') return tell(method, params)
    if (progressToken !== undefined) tell(method, params?.with({ progressToken }))
  }

  /** Nobody will come back: the server is told, and so is whoever waits. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#stopTimer()
    this.upstream.cancel('the client did not come back')
    for (const question of this.#questions.values()) question.settle(errorAnswer('client-gone'))
    this.session.standing.delete(this)
    this.#options.ended(this)
    this.#give(errorAnswer('client-gone'))
  }

  #wait(turn: Turn): Promise<Answer> {
    this.#stopTimer()
    this.#turn = turn
    this.#lastTurn = turn
    const { cancel } = turn
    cancel.listen(() => this.upstream.cancel(cancel.reason ?? ''))
    if (cancel.cancelled) this.upstream.cancel(cancel.reason ?? '')
    for (const { method, params } of this.#untold.splice(0)) this.told(method, params)
    return new Promise(resolve => {
      this.#resolve = resolve
      if (this.#answer !== undefined) this.#finish(this.#answer)
    })
  }

  #answered(answer: Answer): void {
    this.#answer = answer
    if (this.#turn !== undefined) this.#finish(answer)
  }

  #finish(answer: Answer): void {
    this.#give(answer)
    this.end()
  }

  #ask(): void {
    if (this.#turn === undefined || this.#questions.size === 0) return
    const requests: Record<string, Json> = {}
    for (const [key, { method, open }] of this.#questions)
      requests[key] = NO_PARAMS.with({ method: Json.of(method), ...(open.params && { params: open.params }) })
    const payload = ASKING.with({
      inputRequests: NO_PARAMS.with(requests),
      requestState: Json.of(this.#options.sealState(this)),
    })
    this.session.standing.add(this)
    this.#stopTimer = this.#options.deps.clock.after(PATIENCE_MS, () => this.end())
    this.#give({ kind: 'result', payload, isInputRequired: true })
  }

  #give(answer: Answer): void {
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#turn?.cancel.listen(undefined)
    this.#turn = undefined
    resolve?.(answer)
  }
}

const ASKING = Json.of({ resultType: 'input_required' })
