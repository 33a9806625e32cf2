// Tasks, of 2025-11-25 and of the extension (SEP-2663): which server holds one and whose it is. A task id alone opens nothing.
import type { Cancel } from '../cancel.ts'
import type { Session } from '../downstream/session.ts'
import { Json } from '../mcp/json.ts'
import type { Era } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import type { Catalogs } from './catalogs.ts'

/** Of one owner; the oldest is forgotten. */
const MAX_TASKS = 1000
const MAX_PAGES = 100

export class Tasks {
  readonly #owned = new Map<string, Map<string, string>>()

  /** Notes the task that an answer tells of. Invariant: an id that one server gave cannot be taken over by another. */
  claim({ owner, era }: Session, server: string, answer: Answer): void {
    const taskId = answer.kind === 'result' ? createdTask(era, answer.payload as Json)?.string('taskId') : undefined
    if (taskId === undefined) return
    let owned = this.#owned.get(owner)
    if (owned === undefined) {
      owned = new Map()
      this.#owned.set(owner, owned)
    }
    if (owned.has(taskId)) return
    if (owned.size >= MAX_TASKS) owned.delete(owned.keys().next().value!)
    owned.set(taskId, server)
  }

  /** `undefined` where it is not a task of this caller, or of no server of this view. */
  serverOf({ owner, view }: Session, taskId: string): string | undefined {
    const server = this.#owned.get(owner)?.get(taskId)
    return view.servers.some(one => one.id === server) ? server : undefined
  }
}

/** By the extension the server alone decides that there is a task, and its result is the task. */
function createdTask(era: Era, result: Json): Json | undefined {
  if (era === 'legacy') return result.get('task')
  return result.holds('resultType', 'task') ? result : undefined
}

/** The caller's tasks on all servers of the view. A server that does not answer is left out, where it is not the only one. */
export async function listTasks(catalogs: Catalogs, tasks: Tasks, session: Session, cancel: Cancel): Promise<Answer> {
  const { servers } = session.view
  const parts = await Promise.all(servers.map(({ id }) => tasksOf(catalogs, tasks, session, id, cancel)))
  const found: Json[] = []
  for (const part of parts) {
    if (Array.isArray(part)) found.push(...part)
    else if (servers.length === 1) return part
  }
  return { kind: 'result', payload: Json.of({}).with({ tasks: Json.list(found) }) }
}

async function tasksOf(catalogs: Catalogs, tasks: Tasks, session: Session, server: string, cancel: Cancel): Promise<Json[] | Answer> {
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
      if (id !== undefined && tasks.serverOf(session, id) === server) found.push(task)
    }
    const next = payload.string('nextCursor')
    if (next === undefined || next === cursor) break
    cursor = next
  }
  return found
}
