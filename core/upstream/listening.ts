// What a stateless server says outside of requests: one `subscriptions/listen` of a lane, opened anew when its filter changes or it breaks.
// Spec: 2026-07-28 basic/patterns/subscriptions.
import { Cancel } from '../cancel.ts'
import { Json } from '../mcp/json.ts'
import { LISTS, type ListKind } from '../mcp/methods.ts'
import { META, withoutMeta } from '../mcp/modern.ts'
import type { Answer, Clock, JsonValue } from '../plugin/index.ts'
import type { LaneCall } from './calls.ts'

export interface Listening {
  /** Streams that are open; they are no calls of anybody. */
  readonly pending: number
  /** Resolves when the server has said whether it will tell of changes of this resource. */
  subscribe(uri: string): Promise<boolean>
  /** False where it was not subscribed to. */
  unsubscribe(uri: string): boolean
  /** True while the server has promised to tell when this list changes. */
  promises(kind: ListKind): boolean
  close(): void
}

export interface ListeningOptions {
  readonly capabilities: Json
  readonly clock: Clock
  /** Sends `subscriptions/listen`; it resolves when the stream has ended. */
  listen(params: Json, call: LaneCall): Promise<Answer>
  notified(method: string, params: Json | undefined): void
  /** A stream that had broken is there again: changes may have been missed. */
  missed(): void
}

interface Stream {
  readonly uris: ReadonlySet<string>
  readonly cancel: Cancel
  /** What the server agreed to tell; set by its acknowledgement. */
  honoured: Json | undefined
  /** When it was acknowledged, monotonic ms. */
  since: number
  /** Called once: it is acknowledged, or has ended. */
  settle(): void
}

const RETRY_MS = [1000, 2000, 5000, 15_000, 30_000]
/** A stream that has held this long ends the row of failures. */
const STABLE_MS = 10_000
const FLAGS: Readonly<Record<ListKind['capability'], string>> = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
}
const NO_PARAMS = Json.of({})
const SUBSCRIPTION: readonly string[] = [META.subscription]

export function createListening(options: ListeningOptions): Listening {
  const { capabilities, clock } = options
  const flags = [...new Set(LISTS.map(list => list.capability))].filter(
    capability => capabilities.get(capability)?.get('listChanged')?.value === true,
  )
  const uris = new Set<string>()
  let current: Stream | undefined
  /** Opened with a newer filter, not yet acknowledged. */
  let next: Stream | undefined
  let pending = 0
  let failures = 0
  let hasBroken = false
  let closed = false
  let stopTimer = (): void => {}
  let changing: Promise<void> | undefined

  /** Changes of one turn of the event loop are told together. */
  function change(): Promise<void> {
    changing ??= new Promise<void>(resolve => {
      setImmediate(() => {
        changing = undefined
        open().then(resolve, resolve)
      })
    })
    return changing
  }

  function open(): Promise<void> {
    stopTimer()
    if (closed || (flags.length === 0 && uris.size === 0)) {
      current?.cancel.cancel('nothing is listened to any more')
      current = undefined
      return Promise.resolve()
    }
    return new Promise(resolve => {
      const stream: Stream = { uris: new Set(uris), cancel: new Cancel(), honoured: undefined, since: 0, settle: resolve }
      next?.cancel.cancel('a newer filter')
      next = stream
      pending++
      void options
        .listen(filterOf(stream), { cancel: stream.cancel, notified: (method, params) => hear(stream, method, params) })
        .then(() => ended(stream))
    })
  }

  function filterOf(stream: Stream): Json {
    const filter: Record<string, JsonValue> = {}
    for (const flag of flags) filter[FLAGS[flag]] = true
    if (stream.uris.size > 0) filter.resourceSubscriptions = [...stream.uris]
    return Json.of({ notifications: filter })
  }

  function hear(stream: Stream, method: string, params: Json | undefined): void {
    if (method === 'notifications/subscriptions/acknowledged') return acknowledged(stream, params?.get('notifications') ?? NO_PARAMS)
    if (stream.honoured === undefined || stream.cancel.cancelled) return
    options.notified(method, params && withoutMeta(params, SUBSCRIPTION))
  }

  function acknowledged(stream: Stream, honoured: Json): void {
    if (stream !== next) return
    stream.honoured = honoured
    stream.since = clock.mono()
    next = undefined
    current?.cancel.cancel('a newer filter')
    current = stream
    if (hasBroken) options.missed()
    hasBroken = false
    stream.settle()
  }

  function ended(stream: Stream): void {
    pending--
    stream.settle()
    const wasWanted = stream === current || stream === next
    if (stream === current) current = undefined
    if (stream === next) next = undefined
    if (closed || !wasWanted) return
    hasBroken = true
    if (stream.honoured !== undefined && clock.mono() - stream.since >= STABLE_MS) failures = 0
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!
    if (next === undefined) stopTimer = clock.after(wait, () => void open())
  }

  function honours(uri: string): boolean {
    return (
      current?.honoured
        ?.get('resourceSubscriptions')
        ?.items()
        .some(one => one.value === uri) === true
    )
  }

  if (flags.length > 0) void change()
  return {
    get pending() {
      return pending
    },
    async subscribe(uri) {
      if (uris.has(uri) && honours(uri)) return true
      uris.add(uri)
      await change()
      const isHonoured = honours(uri)
      if (!isHonoured) uris.delete(uri)
      return isHonoured
    },
    unsubscribe(uri) {
      const had = uris.delete(uri)
      if (had) void change()
      return had
    },
    promises: kind => current?.honoured?.get(FLAGS[kind.capability])?.value === true,
    close() {
      closed = true
      stopTimer()
      current?.cancel.cancel('closed')
      next?.cancel.cancel('closed')
    },
  }
}
