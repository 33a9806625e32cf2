// Tasks, of 2025-11-25 and of the extension (SEP-2663): whose they are, for lists, where a server shows also those of others.
import type { Session } from '../downstream/session.ts'
import type { LiveExchange } from '../exchange.ts'
import { Json } from '../mcp/json.ts'
import type { Era } from '../mcp/modern.ts'
import type { Answer, Resource } from '../plugin/index.ts'
import type { LaneCall } from '../upstream/calls.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { shownTaskId } from './task-ids.ts'

/** Of one owner; the oldest is forgotten. */
const MAX_TASKS = 1000
/** Longer arguments are not kept. */
const MAX_ARGS = 64 * 1024
const MAX_PAGES = 100

export class Tasks {
  /** Owner to server and task, each with the call that made it. */
  readonly #owned = new Map<string, Map<string, Resource | undefined>>()

  /** Notes the task that an answer tells of. */
  claim({ owner, era }: Session, x: LiveExchange, answer: Answer): void {
    const taskId = answer.kind === 'result' ? createdTask(era, answer.payload as Json)?.string('taskId') : undefined
    const { resource } = x
    if (taskId === undefined || !('server' in resource)) return
    let owned = this.#owned.get(owner)
    if (owned === undefined) {
      owned = new Map()
      this.#owned.set(owner, owned)
    }
    const key = keyOf(resource, taskId)
    // By the extension what tells of a task is a task again: what made it stays.
    if (owned.has(key)) return
    if (owned.size >= MAX_TASKS) owned.delete(owned.keys().next().value!)
    owned.set(key, originIn(x))
  }

  /** What a request about this task is about: the call that made it, as it was decided. */
  originOf({ owner }: Session, of: Holder, taskId: string): Resource | undefined {
    return this.#owned.get(owner)?.get(keyOf(of, taskId))
  }

  /** For lists: servers may hold tasks of others behind the same credential. */
  isOwn({ owner }: Session, of: Holder, taskId: string): boolean {
    return this.#owned.get(owner)?.has(keyOf(of, taskId)) === true
  }
}

function originIn({ resource, args }: LiveExchange): Resource | undefined {
  if (resource.kind !== 'call' || args.bytes.length > MAX_ARGS) return undefined
  // A copy: a part of the message would keep the whole of it in memory.
  return Object.freeze({ ...resource, task: Object.freeze({ args: Json.of({}).with({ args }).get('args')! }) })
}

/** Who has the task: a server, or one of its versions. */
interface Holder {
  readonly server: string
  readonly version?: string | undefined
}

/** Invariant: no id or version of a server holds what separates it. */
function keyOf({ server, version }: Holder, taskId: string): string {
  return `${server}\0${version ?? ''}\0${taskId}`
}

/** By the extension the server alone decides that there is a task, and its result is the task. */
function createdTask(era: Era, result: Json): Json | undefined {
  if (era === 'legacy') return result.get('task')
  return result.holds('resultType', 'task') ? result : undefined
}

/** The caller's tasks on all servers of the view. A server that does not answer is left out, where it is not the only one. */
export async function listTasks(
  { handles }: RelayDeps,
  catalogs: Catalogs,
  tasks: Tasks,
  session: Session,
  call: Pick<LaneCall, 'cancel' | 'behalf'>,
): Promise<Answer> {
  const { servers } = session.view
  const show = (of: Holder, task: Json, id: string) => task.with({ taskId: Json.of(shownTaskId(handles, session, { ...of, id })) })
  const parts = await Promise.all(
    servers.map(({ id: server, version }) => tasksOf(catalogs, tasks, session, { server, version }, call, show)),
  )
  const found: Json[] = []
  for (const part of parts) {
    if (Array.isArray(part)) found.push(...part)
    else if (servers.length === 1) return part
  }
  return { kind: 'result', payload: Json.of({}).with({ tasks: Json.list(found) }) }
}

async function tasksOf(
  catalogs: Catalogs,
  tasks: Tasks,
  session: Session,
  of: Holder,
  call: Pick<LaneCall, 'cancel' | 'behalf'>,
  show: (of: Holder, task: Json, id: string) => Json,
): Promise<Json[] | Answer> {
  const { lane } = catalogs.berth(session, of.server, of.version)!
  // What a server held ended with its session: a lane that is not open has no tasks.
  if (lane.agreement?.capabilities.get('tasks')?.get('list') === undefined) return []
  const found: Json[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await lane.request('tasks/list', Json.of(cursor === undefined ? {} : { cursor }), call)
    if (answer.kind === 'error') return answer
    const payload = answer.payload as Json
    for (const task of payload.get('tasks')?.items() ?? []) {
      const id = task.type === 'object' ? task.string('taskId') : undefined
      if (id !== undefined && tasks.isOwn(session, of, id)) found.push(show(of, task, id))
    }
    const next = payload.string('nextCursor')
    if (next === undefined || next === cursor) break
    cursor = next
  }
  return found
}
