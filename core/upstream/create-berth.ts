// One lane with its lists and its users: what its server says outside of calls reaches those whom it concerns, and nobody else.
import { placesOf } from '../config/places.ts'
import type { GatewayConfig, ServerConfig } from '../config/schema.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import type { Answer, Clock, Log } from '../plugin/index.ts'
import type { Berth, LaneUser } from './berth.ts'
import type { Eras, Spoken } from './eras.ts'
import type { Gate } from './gate.ts'
import type { Agreement, LaneClient } from './handshake.ts'
import type { Instances } from './instances.ts'
import { type Lane, ServerLane } from './lane.ts'
import type { LaneEvents } from './lane-options.ts'
import { type Items, isItems, Listings } from './listing.ts'
import { findRedefined, type Redefined } from './redefinition.ts'
import { SpreadLane } from './spread.ts'
import type { Transport, TransportFault } from './transport.ts'

/** What all lanes have in common. */
export interface BerthOptions {
  readonly config: Pick<GatewayConfig, 'limits'>
  readonly clock: Clock
  readonly log: Log
  /** One a server, whatever lanes it has. */
  gateOf(server: ServerConfig): Gate
  /** `owner`: whose lane it is. `isBusy`: calls are pending, or a user waits for what the server may say outside of calls. */
  createTransport(server: ServerConfig, owner: string, spoken: Spoken | undefined, isBusy: () => boolean): Transport
  /** For health: how the last opening of a server went. */
  noteOpened(server: ServerConfig, agreement: Agreement): void
  noteClosed(server: ServerConfig, fault: TransportFault): void
  /** For the record: a tool is not what it was when it was last listed. */
  noteRedefined(server: ServerConfig, redefined: Redefined): void
  /** `method`: the notification by which a server says that something of it has changed. */
  noteChanged(server: ServerConfig, method: string): void
  scrub(bytes: Uint8Array): Uint8Array
}

/** What the pool gives for this lane alone. */
export interface BerthPlace {
  readonly key: string
  /** The client whom the server may ask; undefined where several may share the lane. */
  readonly client: LaneClient | undefined
  readonly shared: LaneClient
  /** Whose lane it is; empty where it is nobody's in particular. */
  readonly owner: string
  readonly eras: Eras
  readonly instances: Instances | undefined
  /** True once, for the first lane that is opened to the server. */
  isFirst(): boolean
  /** It is still wanted: what fell over is to come back. */
  isWanted(): boolean
}

export function createBerth(server: ServerConfig, place: BerthPlace, options: BerthOptions): Berth {
  const { clock, log, noteRedefined, noteChanged } = options
  const { owner, client, key, instances } = place
  const users = new Set<LaneUser>()
  let hasLed = false

  const tellAll = (lists: readonly string[]): void => {
    for (const list of lists) for (const user of users) user.notified(lane, list, undefined)
  }

  /** Lists are its from now on. */
  function led(agreement: Agreement): void {
    berth.agreed = agreement
    berth.lists.stale()
    // Whoever listed while the server was away has a stale list.
    if (hasLed) for (const list of CHANGED) noteChanged(server, list)
    if (place.isFirst() || hasLed) tellAll(CHANGED)
    for (const user of users) user.opened(berth)
    hasLed = true
  }

  /** `at`: the one that is reached, which is the server itself or an instance. */
  function eventsOf(at: ServerConfig, own: () => ServerLane, index: number): LaneEvents {
    const leads = (): boolean => !(lane instanceof SpreadLane) || lane.leads(index)
    const isHeard = (): boolean => !(lane instanceof SpreadLane) || lane.hears(index)
    return {
      notified: (method, params) => {
        if (!isHeard()) return
        berth.lists.changed(method, LISTS)
        // Invariant: what a server says of one principal's doings reaches no other, so where it is unknown whose they are, nobody.
        // Also of one who has gone: a server may still have something to say of what he did.
        if (server.shared && !FOR_ALL.has(method) && berth.owners.size > 1) return
        for (const user of users) user.notified(lane, method, params)
      },
      asked: ask => {
        // A shared lane declared no capability: there is no one whom the server could mean.
        const [user] = users
        if (client === undefined || user === undefined || !isHeard()) return Promise.resolve(NOBODY)
        return user.asked(lane, ask)
      },
      opened: agreement => {
        if (!berth.isRetired) options.noteOpened(at, agreement)
        if (leads()) led(agreement)
        else if (lane instanceof SpreadLane) lane.tellLevel(index)
      },
      missed: () => {
        berth.lists.stale()
        for (const list of CHANGED) noteChanged(server, list)
        tellAll(CHANGED)
      },
      definitionOf: async tool => {
        const found = await berth.lists.fetch(TOOLS, true)
        return isItems(found) ? found.find(item => item.string('name') === tool) : undefined
      },
      closed: (fault: TransportFault) => {
        // What one caller lacks says nothing of the server.
        if (fault.code !== 'upstream-credential' && !berth.isRetired) options.noteClosed(at, fault)
        if (leads()) berth.lists.stale()
        if (at.kind === 'child' && fault.planned !== true && isHeard()) restart(own(), fault)
      },
    }
  }

  /** A process that fell over comes back by itself, as often as its supervisor admits; a remote server when it is needed. */
  function restart(own: ServerLane, fault: TransportFault): void {
    clock.after(fault.retryAfterMs ?? RESTART_MS, () => {
      if (place.isWanted() && !own.isOpen) void own.ready()
    })
  }

  function open(at: ServerConfig, index: number): ServerLane {
    const { config, scrub, createTransport, gateOf } = options
    const holds = (): boolean => [...users].some(user => user.holds(server.id))
    const own: ServerLane = new ServerLane({
      server: at,
      client: client ?? place.shared,
      limits: { bytes: config.limits.messageBytes, depth: config.limits.depth, keys: config.limits.keys },
      gate: gateOf(at),
      clock,
      log,
      eras: place.eras,
      createTransport: spoken =>
        createTransport(at, owner, spoken, () => own.isBusy || ((!(lane instanceof SpreadLane) || lane.leads(index)) && holds())),
      scrub,
      events: eventsOf(at, () => own, index),
    })
    return own
  }

  const lane: Lane =
    instances === undefined ? open(placesOf(server)[0]!, 0) : new SpreadLane({ server, owner, instances, clock, log, create: open, led })
  const compare = (kind: ListKind, before: Items, now: Items): void => {
    if (kind === TOOLS) for (const redefined of findRedefined(before, now)) noteRedefined(server, redefined)
  }
  const lists = new Listings(lane, clock, log, compare, method => FOR_ALL.has(method) && noteChanged(server, method))
  const berth: Berth = { lane, lists, users, key, agreed: undefined, owners: new Set(), isRetired: false }
  return berth
}

/** Not before the supervisor has counted the failure; it says how much longer to wait. */
const RESTART_MS = 50
const TOOLS = LISTS[0]!
/** The notifications by which lists are said to have changed. */
export const CHANGED: readonly string[] = [...new Set(LISTS.map(list => list.changed))]
const FOR_ALL: ReadonlySet<string> = new Set([...CHANGED, 'notifications/resources/updated'])
const NOBODY: Answer = errorAnswer('client-cannot')
