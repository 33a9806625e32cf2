// Drives the hooks for one exchange: the only control flow there is. Plugins return data; what happens next is decided here.
import { type ExchangeInit, LiveExchange } from './exchange.ts'
import type { Guard, HookFailure } from './guard.ts'
import { type Kills, NO_KILLS } from './kill/kills.ts'
import type { Observer } from './metrics/exchanges.ts'
import { type Admission, createAdmit, type Resolve } from './pipeline/admit.ts'
import { createNotify, createRespond } from './pipeline/answers.ts'
import { createConnections } from './pipeline/connections.ts'
import { createNarrow, type Narrowing } from './pipeline/lists.ts'
import { createRefusals } from './pipeline/refusals.ts'
import { createSettling } from './pipeline/settle.ts'
import { compileStack, type LoadedPlugin } from './pipeline/stack.ts'
import { createTelling } from './pipeline/telling.ts'
import type { Answer, Awaitable, ListItem, Log, Notification, Outcome, Peer, Refused, ServerChange } from './plugin/index.ts'
import type { Refusal } from './refusal.ts'

export type { Admission, Resolve, Unresolved } from './pipeline/admit.ts'
export type { Narrowing } from './pipeline/lists.ts'
export type { LoadedPlugin } from './pipeline/stack.ts'
export type { Refusal } from './refusal.ts'

export interface Pipeline {
  /** No deciding plugin is loaded: everything is let through, and every exchange says so. */
  readonly open: boolean
  /** Some plugin says who a caller is; whoever it does not know is refused. */
  readonly authenticates: boolean
  openExchange(init: ExchangeInit): LiveExchange
  connect(peer: Peer): Awaitable<Refusal | undefined>
  disconnect(peer: Peer): Awaitable<void>
  /**
   * onRequest, decision, obligations, onSealed. Only what is `sealed` may be sent, as `x.sent`; what is `answered` is not sent but
   * goes through `respond` all the same. `resolve` runs once the caller is known, before any plugin behind the authenticators.
   */
  admit(x: LiveExchange, resolve?: Resolve): Awaitable<Admission>
  narrow(x: LiveExchange, items: readonly ListItem[]): Awaitable<Narrowing>
  /** Undefined = not sent. Keep the order of the calls. */
  notify(x: LiveExchange | undefined, notification: Notification): Awaitable<Notification | undefined>
  /** The answer as it may be shown; withheld, it is an error with the code `withheld`. */
  respond(x: LiveExchange, answer: Answer): Awaitable<Answer>
  /** Once for every exchange, also a refused one, after the reply; a second call does nothing. */
  settle(x: LiveExchange, outcome: Outcome): void
  /** Something was refused before there was an exchange. Connections that a plugin refuses, `connect` tells of itself. */
  refused(refused: Refused): void
  /** What a server has may be another. Never throws and never waits. */
  changed(change: ServerChange): void
  /** What some plugin listens to; the rest needs no call. */
  readonly wants: { readonly connections: boolean; readonly notifications: boolean; readonly lists: boolean; readonly responses: boolean }
  drain(): Promise<void>
}

export interface PipelineOptions {
  /** In config order, their order proven. */
  readonly plugins: readonly LoadedPlugin[]
  readonly guard: Guard
  readonly log: Log
  readonly onFailure?: (failure: HookFailure) => void
  readonly observer?: Observer | undefined
  /** What operators have killed, as it is now. */
  readonly kills?: { readonly now: Kills }
}

export function createPipeline({
  plugins,
  guard,
  log,
  onFailure = () => {},
  observer,
  kills = { now: NO_KILLS },
}: PipelineOptions): Pipeline {
  const stack = compileStack(plugins)
  const driver = { stack, guard, log, onFailure, observer, kills }
  const authenticated = stack.lastAuthenticator >= 0
  const discharges = stack.dischargers.size > 0
  const settling = createSettling(driver)
  const telling = createTelling(driver)
  const refusals = createRefusals(driver, telling)
  return {
    open: stack.open,
    authenticates: authenticated,
    openExchange(init) {
      const trusted = init.direction === 'to-client' || !authenticated
      const x = new LiveExchange(init, stack.open, trusted ? init.principal : undefined)
      observer?.opened?.(x)
      return x
    },
    ...createConnections(driver, refusals),
    admit: createAdmit(driver),
    narrow: createNarrow(driver),
    notify: createNotify(driver),
    respond: createRespond(driver),
    settle: settling.settle,
    refused: refusals.refused,
    changed: change => telling.tell(stack.change, Object.freeze(change)),
    async drain() {
      await settling.drain()
      await telling.drain()
    },
    wants: {
      connections: stack.connection.length > 0 || stack.close.length > 0,
      notifications: stack.notification.length > 0 || discharges,
      lists: stack.list.length > 0,
      responses: stack.response.length > 0 || discharges,
    },
  }
}
