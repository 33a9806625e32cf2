// What each method of a client means here: whom it concerns, and how it is done.
import { chain } from '../awaitable.ts'
import type { Session } from '../downstream/session.ts'
import { type LiveExchange, stateOf } from '../exchange.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { asJson, Json } from '../mcp/json.ts'
import { LISTS, LOG_LEVELS, listOf } from '../mcp/methods.ts'
import { type Era, withoutEnvelope } from '../mcp/modern.ts'
import { ownerOf } from '../owner.ts'
import type { Refusal, Unresolved } from '../pipeline.ts'
import type { Answer, Awaitable, Exchange, Resource } from '../plugin/index.ts'
import { refuse } from '../refusal.ts'
import type { Berth } from '../upstream/berth.ts'
import { mayAsk } from '../upstream/rounds.ts'
import type { Asked } from './asked.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import type { Interactive } from './interactive.ts'
import { invite } from './invite.ts'
import { answerList, maySee } from './lists.ts'
import { mirrorFault } from './mirrored.ts'
import { withPublicUris } from './public-uris.ts'
import type { Round } from './rounds-state.ts'
import { NO_PARAMS, type Tell, type Work } from './run.ts'
import { askForLogs, subscribe, tellLevel, unsubscribe } from './standing.ts'
import { findTarget, type NoTarget, type Target, unknownAs } from './target.ts'
import { withOwnRelated, withShownIds } from './task-ids.ts'
import { listTasks, Tasks } from './tasks.ts'
import { askClient, HTTPS_ONLY, isUnsafe } from './to-client.ts'
import { isLoudEnough } from './told.ts'
import type { View } from './view.ts'

export type Plan = Pick<Work, 'perform' | 'hiddenAs'> & {
  readonly resolve: NonNullable<Work['resolve']>
  /** Called once the answer is written. */
  replied?(): void
}
export type Planner = (request: Asked) => Plan

export const PLUMBING: Resource = Object.freeze({ kind: 'plumbing' })
export const EMPTY: Answer = Object.freeze({ kind: 'result', payload: Json.of({}) })
const STALE_STATE = 'the requestState is not one of this request, or is too old'
const PLUMBING_OF: Readonly<Record<Era, ReadonlySet<string>>> = {
  legacy: new Set(['ping', 'logging/setLevel', 'initialize']),
  modern: new Set(['server/discover', 'subscriptions/listen']),
}
const OUTSIDE: ReadonlySet<string> = new Set([...LISTS.map(list => list.changed), 'notifications/resources/updated'])

export function createPlans(deps: RelayDeps, catalogs: Catalogs, interactive: Interactive): Planner {
  const tasks = new Tasks()
  return asked => {
    const { session, method, params, cancel } = asked
    const resource = resourceOf(session.view, method, session.era)
    const list = listOf(method)
    if (list !== undefined) {
      return { resolve: x => isOther(session, x) ?? resource, perform: x => answerList(deps, catalogs, session, list, x) }
    }
    if (resource.kind === 'plumbing') {
      return {
        resolve: x => isOther(session, x) ?? resource,
        perform: async () => {
          if (method === 'initialize') return errorAnswer('invalid-request', { text: 'this session is initialized' })
          if (method === 'ping') return EMPTY
          const level = params.string('level')
          if (level === undefined || !LOG_LEVELS.includes(level))
            return errorAnswer('invalid-params', { text: `level is one of ${LOG_LEVELS.join(', ')}` })
          session.logLevel = level
          for (const server of session.view.servers) tellLevel(session, catalogs.berth(session, server.id)!)
          return EMPTY
        },
      }
    }
    if (method === 'tasks/list') {
      return {
        resolve: x => isOther(session, x) ?? resource,
        perform: x => listTasks(deps, catalogs, tasks, session, { cancel, behalf: deps.credentials.callers?.of(x) }),
      }
    }
    let target: Target | undefined
    let round: Round | undefined
    return {
      resolve(x) {
        const take = (given: Target | NoTarget) => {
          if ('code' in given) return refusalOf(deps, given)
          const found = marked(deps, versioned(session, given))
          target = found
          const mismatch =
            session.era === 'modern' && asked.isMirrored !== false ? mirrorFault(asked.peer, found.definition, params) : undefined
          if (mismatch !== undefined) return { ...refuse('header-mismatch', ['default']), reason: mismatch, resource: found.resource }
          if (session.era === 'legacy') return found.resource
          const opened = interactive.roundOf(asked, found)
          if (opened === 'invalid') return { ...refuse('invalid-params', ['default']), reason: STALE_STATE, resource: found.resource }
          round = opened
          return found.resource
        }
        return isOther(session, x) ?? chain(findTarget(catalogs, deps.handles, tasks, session, method, params), take)
      },
      hiddenAs: async x =>
        target === undefined || (await maySee(deps, catalogs, session, x)) ? undefined : unknownAs(method, target.resource),
      async perform(x, tell) {
        const got = await passOn(asked, target!, round, x, tell)
        const answer = got.code === 'upstream-credential' ? await invited(asked, target!, round, x, got) : got
        return answer.code === undefined || answer.kind === 'result' ? asShown(asked, target!, answer) : answer
      },
    }
  }

  async function passOn(asked: Asked, target: Target, round: Round | undefined, x: LiveExchange, tellAs: Tell): Promise<Answer> {
    const { session, method, params, channel, cancel, client } = asked
    const berth = catalogs.berth(session, target.server, target.version)
    if (berth === undefined) return errorAnswer('upstream-unavailable', { server: target.server })
    const { lane } = berth
    if (session.era === 'modern' && client.logLevel !== undefined) askForLogs(session, berth, client.logLevel)
    const sent =
      x.sent === NO_PARAMS ? undefined : withoutEnvelope(withOwnRelated(deps.handles, session, lane, target.toServer(x.sent as Json)))
    if (sent !== undefined && method === 'resources/subscribe')
      return subscribe(session, lane, params, sent, deps.credentials.callers?.of(x))
    if (sent !== undefined && method === 'resources/unsubscribe') return unsubscribe(deps, catalogs, session, lane, params, sent)
    const progressToken = params.get('_meta')?.get('progressToken')
    const { owner } = session
    const { definition } = target
    const behalf = deps.credentials.callers?.of(x)
    const exchange = lane.server.kind === 'inner' ? x : undefined
    const tell: Tell = (told, got) => tellAs(told, withShownIds(deps.handles, session, lane, got))
    if (session.era === 'modern') {
      const call = { owner, client, progressToken, definition, behalf, exchange, timed: stateOf(x) }
      const told = filterTold(asked, berth, tell)
      const answer =
        sent !== undefined && mayAsk(method)
          ? await interactive.perform({ asked, lane, x, tell: told, sent, round, call })
          : await lane.request(method, sent, { ...call, cancel, notified: told })
      tasks.claim(session, x, answer)
      return answer
    }
    const answer = await lane.request(method, sent, {
      owner,
      client,
      progressToken,
      definition,
      behalf,
      exchange,
      timed: stateOf(x),
      cancel,
      notified(told, got) {
        if (OUTSIDE.has(told)) berth.lists.changed(told, LISTS)
        tell(told, got)
      },
      asked: ask => askClient(deps, session, lane, ask, { x, channel }),
    })
    if (params.get('task') !== undefined) tasks.claim(session, x, answer)
    return answer
  }

  function invited(asked: Asked, { server, version }: Target, round: Round | undefined, x: LiveExchange, answer: Answer): Promise<Answer> {
    return invite(deps, asked, catalogs.berth(asked.session, server, version)!.lane, x, round, answer)
  }

  /** In the words of this client; of the gateway's own answers nothing is changed. */
  function asShown({ session, method, params }: Asked, { server, version, uri }: Target, answer: Answer): Awaitable<Answer> {
    if (isUnsafe(answer)) return errorAnswer('denied', { server, text: HTTPS_ONLY })
    // Spec: 2026-07-28 basic/index, "Result": an object, which says of what kind it is.
    if (session.era === 'modern' && answer.kind === 'result' && asJson(answer.payload).type !== 'object')
      return errorAnswer('upstream-garbage', { server })
    const { lane } = catalogs.berth(session, server, version)!
    const payload = asJson(answer.payload)
    const renamed = answer.kind === 'result' ? withShownIds(deps.handles, session, lane, payload)! : payload
    const shown = method === 'resources/read' ? params.string('uri') : undefined
    const about = shown !== undefined && uri !== undefined ? { own: uri, shown } : undefined
    return withPublicUris(catalogs, session, server, method, renamed === payload ? answer : { ...answer, payload: renamed }, about)
  }
}

/** What a request is about before anything is looked up. */
export function resourceOf(view: View, method: string, era: Era = 'legacy'): Resource {
  const list = listOf(method)
  if (list !== undefined) return { kind: 'list', of: list.of }
  if (PLUMBING_OF[era].has(method)) return PLUMBING
  return { kind: 'method', server: method === 'tasks/list' ? (view.only ?? '') : '', method }
}

/** Spec: 2026-07-28 basic/transports, "Receiving Messages": on the stream of a request only what belongs to it. */
function filterTold({ client }: Asked, { lane, lists, users }: Berth, tell: Tell): Tell {
  return (method, params) => {
    if (method === 'notifications/message') return isLoudEnough(client.logLevel, params) ? tell(method, params) : undefined
    if (method === 'notifications/progress' || !OUTSIDE.has(method)) return tell(method, params)
    lists.changed(method, LISTS)
    for (const user of users) user.notified(lane, method, params)
  }
}

/** With the version that it is about from here on: of what was found by no list, the one that this caller has. */
function versioned({ view }: Session, target: Target): Target {
  const { resource } = target
  const version = target.version ?? view.servers.find(({ id }) => id === target.server)?.version
  if (version === undefined || !('server' in resource) || resource.version !== undefined) return target
  return { ...target, version, resource: { ...resource, version } }
}

/** Invariant: that an answer is a secret is said by the gateway alone: a server that could say it of its own would be neither recorded nor masked. */
function marked({ isSecret }: RelayDeps, target: Target): Target {
  const { resource } = target
  if (resource.kind !== 'call' || !isSecret(resource.server, resource.tool)) return target
  return { ...target, resource: { ...resource, secret: true } }
}

/** Where lists are narrowed, that a server is away is told to nobody: it could be one that this caller may not see. */
function refusalOf({ pipeline }: RelayDeps, { code: unknown, resource, isAway, data }: NoTarget): Unresolved {
  const code = isAway === true && !pipeline.wants.lists ? 'upstream-unavailable' : unknown
  return { ...refuse(code, ['default']), resource, ...(data && { data }) }
}

/** A session belongs to the principal that opened it; for any other it does not exist. */
export function isOther(session: Session, x: Pick<Exchange, 'principal'>): Refusal | undefined {
  return ownerOf(x.principal) === session.owner ? undefined : refuse('session-unknown', ['default'])
}
