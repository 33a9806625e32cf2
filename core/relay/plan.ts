// What each method of a client means here: whom it concerns, and how it is done.
import { chain } from '../awaitable.ts'
import type { Cancel } from '../cancel.ts'
import { ownerOf, type ReplyChannel, type Session } from '../downstream/session.ts'
import { errorAnswer } from '../mcp/error-answer.ts'
import { Json } from '../mcp/json.ts'
import { LISTS, LOG_LEVELS, listOf } from '../mcp/methods.ts'
import type { Refusal, Unresolved } from '../pipeline.ts'
import type { Answer, Exchange, Resource } from '../plugin/index.ts'
import { refuse } from '../refusal.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { answerList, maySee } from './lists.ts'
import type { Work } from './run.ts'
import { subscribe, tellLevel, unsubscribe } from './standing.ts'
import { findTarget, type NoTarget, type Target } from './target.ts'
import { listTasks, Tasks } from './tasks.ts'
import { askClient } from './to-client.ts'

export type Plan = Pick<Work, 'resource' | 'resolve' | 'perform' | 'isHidden'>
export type Planner = (session: Session, method: string, params: Json, channel: ReplyChannel, cancel: Cancel) => Plan

export const PLUMBING: Resource = Object.freeze({ kind: 'plumbing' })
export const EMPTY: Answer = Object.freeze({ kind: 'result', payload: Json.of({}) })
const TOOLS = LISTS[0]!

export function createPlans(deps: RelayDeps, catalogs: Catalogs): Planner {
  const tasks = new Tasks()
  return (session, method, params, channel, cancel) => {
    const list = listOf(method)
    if (list !== undefined) {
      const resource: Resource = { kind: 'list', of: list.of }
      return { resource, resolve: x => isOther(session, x) ?? resource, perform: x => answerList(deps, catalogs, session, list, x) }
    }
    if (method === 'ping' || method === 'logging/setLevel' || method === 'initialize') {
      return {
        resource: PLUMBING,
        resolve: x => isOther(session, x) ?? PLUMBING,
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
      const resource: Resource = { kind: 'method', server: session.view.only ?? '', method }
      return { resource, resolve: x => isOther(session, x) ?? resource, perform: () => listTasks(catalogs, tasks, session, cancel) }
    }
    let target: Target | undefined
    return {
      resource: { kind: 'method', server: '', method },
      resolve(x) {
        const take = (found: Target | NoTarget) => {
          if ('code' in found) return refusalOf(deps, found)
          target = found
          return found.resource
        }
        return isOther(session, x) ?? chain(findTarget(catalogs, tasks, session, method, params), take)
      },
      isHidden: async x => target !== undefined && !(await maySee(deps, catalogs, session, TOOLS, x)),
      async perform(x, tell) {
        const { lane } = catalogs.berth(session, target!.server)!
        const sent = target!.toServer(x.sent as Json)
        if (method === 'resources/subscribe') return subscribe(session, lane, params, sent)
        if (method === 'resources/unsubscribe') return unsubscribe(deps, catalogs, session, lane, params, sent)
        const progressToken = params.get('_meta')?.get('progressToken')
        const answer = await lane.request(method, sent, {
          cancel,
          ...(progressToken && { progressToken }),
          notified: tell,
          asked: ask => askClient(deps, session, lane, ask, { x, channel }),
        })
        if (params.get('task') !== undefined) tasks.claim(session, lane.server.id, answer)
        return answer
      },
    }
  }
}

/** Where lists are narrowed, that a server is away is told to nobody: it could be one that this caller may not see. */
function refusalOf({ pipeline }: RelayDeps, { code: unknown, resource, isAway }: NoTarget): Unresolved {
  const code = isAway === true && !pipeline.wants.lists ? 'upstream-unavailable' : unknown
  return { ...refuse(code, ['default']), resource }
}

/** A session belongs to the principal that opened it; for any other it does not exist. */
export function isOther(session: Session, x: Pick<Exchange, 'principal'>): Refusal | undefined {
  return ownerOf(x.principal) === session.owner ? undefined : refuse('session-unknown', ['default'])
}
