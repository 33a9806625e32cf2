// Ids of tasks as a client knows them: each names the server that holds the task, and opens it for nobody but the caller whose call made it.
import type { Session } from '../downstream/session.ts'
import { asJson, Json } from '../mcp/json.ts'
import { TASKS_EXTENSION } from '../mcp/modern.ts'
import type { Answer } from '../plugin/index.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Handles } from './handles.ts'

/** Spec: 2025-11-25 basic/utilities/tasks, "Related Task Metadata". */
const RELATED = 'io.modelcontextprotocol/related-task'
// Any of them stands in each text that has an id in it, escaped or not.
const SIGNS = ['taskId"', '\\u00'].map(sign => Buffer.from(sign))

type MapId = (id: string) => string | undefined

export interface OwnTask {
  readonly server: string
  /** Of the server, where it has any: the task is there, whatever version its owner has by now. */
  readonly version?: string | undefined
  readonly id: string
}

/** Two servers may give the same id; a client compares ids, so that one task has one. */
export function shownTaskId(handles: Handles, { owner }: Session, { server, version, id }: OwnTask): string {
  return handles.seal('task', owner, version === undefined ? [server, id] : [server, id, version])
}

/** Undefined where it is no task of this caller, or of no server of this view. */
export function ownTask(handles: Handles, { owner, view }: Session, shown: string): OwnTask | undefined {
  const content = handles.open('task', owner, shown)
  if (!Array.isArray(content)) return undefined
  const [server, id, version] = content as [string, string, string?]
  return view.servers.some(one => one.id === server) ? { server, id, version } : undefined
}

/** A server without tasks says nothing of any. */
function mayHaveTasks({ agreement }: Lane): boolean {
  const capabilities = agreement?.capabilities
  return capabilities?.get('tasks') !== undefined || capabilities?.get('extensions')?.get(TASKS_EXTENSION) !== undefined
}

/** What a server says, with the ids that this client knows. */
export function withShownIds(handles: Handles, session: Session, lane: Lane, said: Json | undefined): Json | undefined {
  if (said === undefined || !mayHaveTasks(lane) || !mayHoldIds(said)) return said
  return mapIds(said, id => shownTaskId(handles, session, { server: lane.server.id, version: lane.server.version, id }))
}

/** What a server asks; the ids of tasks that the client holds are the client's own. */
export function withShownRelated(handles: Handles, session: Session, lane: Lane, asked: Json | undefined): Json | undefined {
  if (asked === undefined || !mayHaveTasks(lane) || !mayHoldIds(asked)) return asked
  return mapRelated(asked, id => shownTaskId(handles, session, { server: lane.server.id, version: lane.server.version, id }))
}

/** What a client says of a task, with the server's own id. */
export function withOwnRelated(handles: Handles, session: Session, lane: Lane, said: Json): Json {
  if (said.type !== 'object' || !mayHaveTasks(lane) || !mayHoldIds(said)) return said
  return mapRelated(said, id => {
    const own = ownTask(handles, session, id)
    return own?.server === lane.server.id && own.version === lane.server.version ? own.id : undefined
  })
}

export function answerWithOwnRelated(handles: Handles, session: Session, lane: Lane, answer: Answer): Answer {
  if (answer.kind === 'error') return answer
  const payload = asJson(answer.payload)
  const own = withOwnRelated(handles, session, lane, payload)
  return own === payload ? answer : { ...answer, payload: own }
}

function mayHoldIds({ bytes }: Json): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return SIGNS.some(sign => text.includes(sign))
}

/** Only where the protocol has the id of a task: what a tool made up is its own. */
function mapIds(value: Json, map: MapId): Json {
  if (value.type !== 'object') return value
  const task = value.object('task')
  const inTask = task && mapMember(task, map)
  const mapped = mapMember(value, map)
  return mapRelated(inTask === task ? mapped : mapped.with({ task: inTask }), map)
}

function mapRelated(value: Json, map: MapId): Json {
  const meta = value.object('_meta')
  const related = meta?.object(RELATED)
  if (related === undefined) return value
  const mapped = mapMember(related, map)
  return mapped === related ? value : value.with({ _meta: meta!.with({ [RELATED]: mapped }) })
}

function mapMember(value: Json, map: MapId): Json {
  const id = value.string('taskId')
  const mapped = id === undefined ? undefined : map(id)
  return mapped === undefined ? value : value.with({ taskId: Json.of(mapped) })
}
