// `subscriptions/listen`: one long request of a stateless client, on which he hears what servers tell outside of calls.
// Spec: 2026-07-28 basic/patterns/subscriptions.
import type { Listener, Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { writeNotification } from '../mcp/message.ts'
import { LISTS } from '../mcp/methods.ts'
import { META } from '../mcp/modern.ts'
import { isWithin } from '../mcp/uri-template.ts'
import type { Answer, JsonValue } from '../plugin/index.ts'
import type { Asked } from './asked.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { forAWhile } from './learn.ts'
import { PLUMBING, type Plan, type Planner, resourceOf } from './plan.ts'
import { type Caller, run } from './run.ts'
import { unsubscribe } from './standing.ts'

/** Of one kind of requests of one client. */
const MAX_STREAMS = 100
const MAX_URIS = 1000
const EMPTY = Json.of({})

/** All are honoured, whatever servers promise: they come and go, and the gateway itself tells of that. */
const FLAGS = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const
const CHANGED: ReadonlyMap<string, string> = new Map(LISTS.map(list => [list.changed, `${list.capability}ListChanged`]))

export interface ListenParts {
  readonly deps: RelayDeps
  readonly catalogs: Catalogs
  readonly planOf: Planner
  learn(session: Session): Promise<void>
}

/** What the client asked for. */
interface Filter {
  readonly flags: readonly string[]
  readonly uris: readonly string[]
}

export function createListen({ deps, catalogs, planOf, learn }: ListenParts): (asked: Asked, caller: Caller) => Plan {
  /** The lanes on which the changes come; the acknowledgement does not wait for one that is slow to open. */
  async function openLanes(session: Session): Promise<void> {
    await forAWhile(deps.clock, Promise.all(session.view.servers.map(async ({ id }) => catalogs.berth(session, id)!.lane.ready())))
  }

  /** Each is decided upon as a subscription of its own; true where the server will tell of it. */
  async function subscribeTo(asked: Asked, caller: Caller, uri: string): Promise<boolean> {
    const { session, peer, cancel, id } = asked
    const params = Json.of({ uri })
    const method = 'resources/subscribe'
    const channel = { open: false, send() {}, reply() {} }
    const plan = planOf({ ...asked, method, params, channel })
    let isHonoured = false
    await run(deps, {
      caller,
      peer,
      id,
      method,
      params,
      channel,
      cancel,
      resource: resourceOf(session.view, method),
      ...plan,
      finish(answer) {
        isHonoured = answer.kind === 'result'
        return { answer, status: undefined }
      },
    })
    return isHonoured
  }

  /** The server hears of it where no other stream of this client is left that wants it. */
  function leave(session: Session, uris: readonly string[]): void {
    for (const uri of uris) {
      const known = session.subscriptions.get(uri)
      if (known === undefined || [...session.listeners].some(one => one.wants(uri))) continue
      const { lane } = catalogs.berth(session, known.server)!
      void unsubscribe(deps, catalogs, session, lane, Json.of({ uri }), Json.of({ uri: known.uri }))
    }
  }

  return (asked, caller) => {
    const { session, id, params, cancel, channel, peer } = asked
    let isTornDown = false
    const tag = (rest: Json = EMPTY) => rest.with({ _meta: (rest.object('_meta') ?? EMPTY).with({ [META.subscription]: id }) })

    function untilEnded(): Promise<Answer> {
      return new Promise(resolve => {
        const end = (answer: Answer) => {
          session.standing.delete(standing)
          resolve(answer)
        }
        const standing = {
          end() {
            isTornDown = true
            end({ kind: 'result', payload: tag() })
          },
        }
        session.standing.add(standing)
        cancel.listen(() => end(errorAnswer('cancelled')))
        if (cancel.cancelled) end(errorAnswer('cancelled'))
      })
    }

    return {
      resolve: () => PLUMBING,

      async perform(_x, tell) {
        const filter = readFilter(params.get('notifications'))
        if (filter === undefined) return errorAnswer('invalid-params', { text: 'notifications is no filter' })
        if (session.listeners.size >= MAX_STREAMS) return errorAnswer('rate-limited', { text: `at most ${MAX_STREAMS} streams at once` })
        const listener = createListener(filter.uris, (method, got) => tell(method, tag(got)))
        // From here on it counts, and what it is about is kept.
        session.listeners.add(listener)
        try {
          await learn(session)
          await openLanes(session)
          const { flags } = filter
          const honoured = await Promise.all(filter.uris.map(uri => subscribeTo(asked, caller, uri)))
          const uris = filter.uris.filter((_, i) => honoured[i])
          tell('notifications/subscriptions/acknowledged', tag(Json.of({ notifications: written(flags, uris) })))
          listener.begin(flags, uris)
          return await untilEnded()
        } finally {
          session.listeners.delete(listener)
          leave(session, filter.uris)
        }
      },

      // Spec: basic/patterns/cancellation: where streams share a channel, a client is told which of them was torn down.
      replied() {
        if (isTornDown && peer.transport === 'stdio')
          channel.send(writeNotification('notifications/cancelled', EMPTY.with({ requestId: id })))
      },
    }
  }
}

/** Wants from the first moment what it may come to hear of, and hears nothing before it was acknowledged. */
function createListener(
  asked: readonly string[],
  tell: (method: string, params: Json | undefined) => void,
): Listener & { begin(flags: readonly string[], uris: readonly string[]): void } {
  let agreed: { readonly flags: readonly string[]; readonly uris: readonly string[] } | undefined
  return {
    wants: uri => (agreed?.uris ?? asked).includes(uri),
    hear(method, params) {
      if (agreed === undefined) return
      const uri = params?.string('uri')
      const isWanted =
        method === 'notifications/resources/updated'
          ? uri !== undefined && agreed.uris.some(one => one === uri || isWithin(one, uri))
          : agreed.flags.some(flag => flag === CHANGED.get(method))
      if (isWanted) tell(method, params)
    },
    begin(flags, uris) {
      agreed = { flags, uris }
    },
  }
}

function readFilter(filter: Json | undefined): Filter | undefined {
  if (filter?.type !== 'object') return undefined
  const uris = filter.get('resourceSubscriptions')?.items(MAX_URIS + 1) ?? []
  if (uris.length > MAX_URIS || uris.some(uri => uri.type !== 'string')) return undefined
  return {
    flags: FLAGS.filter(flag => filter.get(flag)?.value === true),
    uris: [...new Set(uris.map(uri => uri.value as string))],
  }
}

function written(flags: readonly string[], uris: readonly string[]): JsonValue {
  return { ...Object.fromEntries(flags.map(flag => [flag, true])), ...(uris.length > 0 && { resourceSubscriptions: [...uris] }) }
}
