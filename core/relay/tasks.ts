// Tasks, of 2025-11-25 and of the extension (SEP-2663): whose they are, for lists, where a server shows also those of others.
import type { Cancel } from '../cancel.ts'
import type { Session } from '../downstream/session.ts'
import { Json } from '../mcp/json.ts'
import type { Era } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import type { Catalogs } from './catalogs.ts'
import type { RelayDeps } from './deps.ts'
import { shownTaskId } from './task-ids.ts'

/** Of one owner; the oldest is forgotten. */
const MAX_TASKS = 1000
const MAX_PAGES = 100

export class Tasks {
  /** Owner to server and task. */
  readonly #owned = new Map<string, Set<string>>()

  /** Notes the task that an answer tells of. */
  claim({ owner, era }: Session, server: string, answer: Answer): void {
    const taskId = answer.kind === 'result' ? createdTask(era, answer.payload as Json)?.string('taskId') : undefined
    if (taskId === undefined) return
    let owned = this.#owned.get(owner)
    if (owned === undefined) {
      owned = new Set()
      this.#owned.set(owner, owned)
    }
    if (owned.size >= MAX_TASKS) owned.delete(owned.values().next().value!)
    owned.add(keyOf(server, taskId))
  }

  /** For lists: servers may hold tasks of others behind the same credential. */
  isOwn({ owner }: Session, server: string, taskId: string): boolean {
    return this.#owned.get(owner)?.has(keyOf(server, taskId)) === true
  }
}

/** Invariant: no id of a server holds what separates it. */
function keyOf(server: string, taskId: string): string {
  return `${server}\0${taskId}`
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
  cancel: Cancel,
): Promise<Answer> {
  const { servers } = session.view
  const show = (server: string, task: Json, id: string) => task.with({ taskId: Json.of(shownTaskId(handles, session, { server, id })) })
  const parts = await Promise.all(servers.map(({ id }) => tasksOf(catalogs, tasks, session, id, cancel, show)))
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
  server: string,
  cancel: Cancel,
  show: (server: string, task: Json, id: string) => Json,
): Promise<Json[] | Answer> {
  const { lane } = catalogs.berth(session, server)!
  // What a server held ended with its session: a lane that is not open has no tasks.
  if (lane.agreement?.capabilities.get('tasks')?.get('list') === undefined) return []
  const found: Json[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await lane.request('tasks/list', Json.of(cursor === undefined ? {} : { cursor }), { cancel })
    if (answer.kind === 'error') return answer
    const payload = answer.payload as Json
    for (const task of payload.get('tasks')?.items() ?? []) {
      const id = task.type === 'object' ? task.string('taskId') : undefined
      if (id !== undefined && tasks.isOwn(session, server, id)) found.push(show(server, task, id))
    }
    const next = payload.string('nextCursor')
    if (next === undefined || next === cursor) break
    cursor = next
  }
  return found
}
