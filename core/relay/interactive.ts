// Calls of stateless clients in which a server may ask: answered with what it asks, and gone on with by the client's next request.
// Spec: 2026-07-28 basic/patterns/mrtr.
import type { Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import type { Json } from '../mcp/json.ts'
import type { Answer } from '../plugin/index.ts'
import type { Ask, LaneCall } from '../upstream/calls.ts'
import type { Lane } from '../upstream/lane.ts'
import { isInputRequired, mayAsk } from '../upstream/rounds.ts'
import type { Asked } from './asked.ts'
import type { RelayDeps } from './deps.ts'
import { createHolding } from './holding.ts'
import { continued, OWN_STATE, showInputRequests, urlsToVisit } from './input-required.ts'
import { Park, type Turn } from './parked.ts'
import { type AboutRound, openRound, type Round, sealRound } from './rounds-state.ts'
import type { Tell } from './run.ts'
import type { Target } from './target.ts'
import { askClient, openAsk, unfitFor } from './to-client.ts'

/** One call that may come to its answer in rounds. */
export interface Interaction {
  readonly asked: Asked
  readonly lane: Lane
  readonly x: LiveExchange
  readonly tell: Tell
  /** What goes to the server, in its own names. */
  readonly sent: Json
  readonly round: Round | undefined
  readonly call: Pick<LaneCall, 'owner' | 'client' | 'progressToken' | 'definition' | 'behalf' | 'exchange' | 'timed'>
}

export interface Interactive {
  /** What the request goes on with; `invalid` where its state is none of this request. */
  roundOf(asked: Asked, target: Pick<Target, 'server' | 'version'>): Round | undefined | 'invalid'
  perform(interaction: Interaction): Promise<Answer>
  /** A server asks outside of any call. */
  askedOutside(session: Session, lane: Lane, ask: Ask): Promise<Answer>
}

/** Calls that wait for their clients: of one owner, and in all. */
const MAX_WAITING_OF_ONE = 100
const MAX_WAITING = 1000
const STALE = { text: 'the requestState is not one of this request, or is too old' }

export function createInteractive(deps: RelayDeps): Interactive {
  const waiting = new Map<string, Park>()
  const running = new WeakMap<Session, Set<Park>>()
  const holding = createHolding(deps.clock)

  function mayWait(park: Park): boolean {
    if (waiting.has(park.id)) return true
    if (waiting.size >= MAX_WAITING) return false
    let own = 0
    for (const { session } of waiting.values()) if (session.owner === park.session.owner) own++
    if (own >= MAX_WAITING_OF_ONE) return false
    waiting.set(park.id, park)
    return true
  }

  function find(round: Extract<Round, { kind: 'parked' }>): Park | undefined {
    const park = waiting.get(round.park)
    return park !== undefined && park.round === round.round && !park.isAttended ? park : undefined
  }

  function parkFor({ asked, lane, call, sent }: Interaction, about: AboutRound): Park {
    const { session } = asked
    let own = running.get(session)
    if (own === undefined) {
      own = new Set()
      running.set(session, own)
    }
    const calls = own
    const made = new Park({
      deps,
      session,
      lane,
      mayWait,
      sealState: park => sealRound(deps.handles, about, { kind: 'parked', park: park.id, round: park.round }),
      send: park =>
        lane.request(about.method, sent, {
          ...call,
          cancel: park.upstream,
          takesInputRequired: true,
          notified: (method, params) => park.told(method, params),
          asked: ask => park.ask(ask),
        }),
      ended(park) {
        waiting.delete(park.id)
        calls.delete(park)
      },
    })
    calls.add(made)
    return made
  }

  async function make(interaction: Interaction, turn: Turn, about: AboutRound): Promise<Answer> {
    const { asked, lane, call, sent, x, tell } = interaction
    if (asked.session.declares) {
      const held = holding.take(asked.session, lane)
      const park = parkFor(interaction, about)
      return park.start(
        turn,
        held.map(one => one.give(park.ask(one.ask))),
      )
    }
    return lane.request(about.method, sent, {
      ...call,
      cancel: asked.cancel,
      takesInputRequired: true,
      notified: tell,
      asked: ask => refuseAsk(asked.session, lane, ask, x),
    })
  }

  /** A client that declared nothing is not asked; that somebody wanted to is on record. */
  async function refuseAsk(session: Session, lane: Lane, ask: Ask, x: LiveExchange): Promise<Answer> {
    const opened = await openAsk(deps, session, lane, ask, { x })
    return 'answer' in opened ? opened.answer : opened.close(errorAnswer('client-cannot'))
  }

  /** A server with sessions knows nothing of rounds. */
  async function wantedBy(lane: Lane, sent: Json, round: Extract<Round, { kind: 'again' }> | undefined): Promise<Json> {
    if (round === undefined && sent.get('inputResponses') === undefined) return sent
    if (round?.state === OWN_STATE) return sent.with({ requestState: undefined, inputResponses: undefined })
    const ready = await lane.ready()
    if (!('detail' in ready) && ready.era === 'legacy') return sent.with({ requestState: undefined, inputResponses: undefined })
    return round === undefined ? sent : continued(sent, round.state, round.given)
  }

  return {
    roundOf({ session, method, params }, { server, version }) {
      const state = params.get('requestState')
      if (state === undefined || !mayAsk(method)) return undefined
      const round = openRound(deps.handles, { session, server, version, method, params }, state)
      if (round === undefined || (round.kind === 'parked' && find(round) === undefined)) return 'invalid'
      return round
    },

    async perform(interaction) {
      const { asked, lane, x, tell, round } = interaction
      const { session, method, params, cancel } = asked
      const { id: server, version } = lane.server
      const about: AboutRound = { session, server, version, method, params }
      const turn: Turn = { x, tell, cancel, progressToken: interaction.call.progressToken }
      if (round?.kind === 'parked') {
        const park = find(round)
        return park === undefined ? errorAnswer('invalid-params', STALE) : park.resume(turn, interaction.sent.get('inputResponses'))
      }
      const sent = await wantedBy(lane, interaction.sent, round)
      const answer = await make({ ...interaction, sent }, turn, about)
      const visit = hasDeclined(interaction) ? undefined : urlsToVisit(answer)
      if (visit !== undefined) return showInputRequests(deps, asked, lane, x, about, visit)
      // Marked where the call waits here: the server said nothing yet.
      if (answer.isInputRequired === true || !isInputRequired(answer)) return answer
      if (lane.agreement?.era === 'legacy') return errorAnswer('upstream-garbage', { server: lane.server.id })
      return showInputRequests(deps, asked, lane, x, about, answer)
    },

    askedOutside(session, lane, ask) {
      const attended = [...(running.get(session) ?? [])].findLast(park => park.lane === lane && park.isAttended)
      if (attended !== undefined) return attended.ask(ask)
      return unfitFor(session, lane, ask) === undefined ? holding.hold(session, lane, ask) : askClient(deps, session, lane, ask)
    },
  }
}

/** Whoever does not want to visit a url is not asked to again. */
function hasDeclined({ sent, round }: Interaction): boolean {
  const responses = round === undefined ? undefined : sent.get('inputResponses')
  return responses?.type === 'object' && responses.keys().some(key => responses.get(key)?.string('action') !== 'accept')
}
