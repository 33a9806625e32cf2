// The gateway's own operations on what is behind it: find tools, call them, and how the servers are; each as its caller may, by the way of any request.
import * as z from 'zod'
import { Cancel } from '../cancel.ts'
import type { About } from '../config/about.ts'
import { tag } from '../config/about-shape.ts'
import { versionName, whichOf } from '../config/places.ts'
import { askOnce, type Reply } from '../downstream/once.ts'
import { Json } from '../mcp/json.ts'
import { type Asker, defineOperation, type JsonObject, type Operation, type OperationAnswer, type Peer } from '../plugin/index.ts'
import type { Registration } from '../registry/store.ts'
import type { Relay } from '../relay/relay.ts'
import type { View, Views } from '../relay/view.ts'
import type { ShownServer } from '../upstream/board.ts'
import { INNER_CLIENT, INNER_ID } from './inner.ts'
import { search } from './search.ts'

export interface OwnOptions {
  readonly relay: Pick<Relay, 'serve'>
  readonly views: Views
  /** Lists are narrowed to what each caller may use. */
  readonly isNarrowed: boolean
  servers(): readonly ShownServer[]
  /** What is said of a server. */
  about(server: string): About
  /** Of a server that was registered while gateways run. */
  registered(id: string): Registration | undefined
}

const LISTS = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']
const MAX_PAGES = 1000

const tool = z.object({ name: z.string(), description: z.string(), inputSchema: z.looseObject({}) })
const calls = z.looseObject({ breaker: z.string(), underWay: z.int(), waiting: z.int() })
// Operators are shown more.
const status = z.looseObject({
  server: z.string(),
  description: z.string().optional(),
  owner: z.string().optional(),
  tags: z.array(z.string()).optional(),
  version: z.string().optional(),
  instance: z.int().optional(),
  state: z.string(),
  since: z.int(),
  protocol: z.string().optional(),
  calls,
})

export function ownOperations(options: OwnOptions): readonly Operation[] {
  const { relay, views, isNarrowed } = options

  function ask(asker: Asker, view: View, method: string, params: JsonObject): Promise<Reply> {
    const cancel = new Cancel()
    asker.signal.addEventListener('abort', () => cancel.cancel('cancelled by the client'), { once: true })
    return askOnce(relay, { view, peer: peerOf(asker), method, params: Json.of(params), cancel, client: INNER_CLIENT })
  }

  async function listTools(asker: Asker): Promise<readonly Json[] | OperationAnswer> {
    const found: Json[] = []
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const { result, error } = await ask(asker, views.all, 'tools/list', cursor === undefined ? {} : { cursor })
      if (result === undefined) return refusedBy(error)
      found.push(...(result.get('tools')?.items() ?? []))
      cursor = result.string('nextCursor')
      if (cursor === undefined) break
    }
    return found
  }

  /** What this caller may know of: of his tenant, and with something in it for him. */
  async function seen(asker: Asker): Promise<readonly ShownServer[]> {
    const all = options.servers().filter(({ server }) => server !== INNER_ID)
    if (asker.tenant === undefined) return all
    const view = views.seenBy(views.all, asker.exchange?.principal)
    const own = new Set(view?.servers.map(versionName))
    const there = all.filter(({ server: id, version }) => own.has(versionName({ id, version })))
    if (!isNarrowed) return there
    const different = [...new Set(there.map(({ server }) => server))]
    const full = await Promise.all(different.map(async server => ((await hasAnything(asker, server)) ? [server] : [])))
    const offering = new Set(full.flat())
    return there.filter(({ server }) => offering.has(server))
  }

  async function hasAnything(asker: Asker, server: string): Promise<boolean> {
    const view = views.of(server)
    if (view === undefined) return false
    for (const method of LISTS) {
      const { result } = await ask(asker, view, method, {})
      if (result?.keys().some(key => (result.get(key)?.type === 'array' ? result.get(key)!.items(1).length : 0) > 0)) return true
    }
    return false
  }

  /** Processes and their last words are for whoever runs the gateway. */
  function show({ server, version, instance, state, since, protocol, calls: at, ...more }: ShownServer, asker: Asker): JsonObject {
    const { breaker, underWay, waiting } = at
    const plain = {
      server,
      ...options.about(server),
      ...whichOf({ version, instance }),
      state,
      since,
      ...(protocol !== undefined && { protocol }),
      calls: { breaker, underWay, waiting },
    }
    if (asker.tenant !== undefined) return plain
    const found = options.registered(server)
    const registered = found && { registered: { by: found.by.id, at: new Date(found.at).toISOString(), entry: found.entry } }
    return { ...plain, ...more, ...registered, calls: { ...at } } as unknown as JsonObject
  }

  return [
    defineOperation({
      name: 'list_tools',
      summary: 'Lists the tools that you may use, or finds those that fit a few words.',
      route: 'GET /gateway/tools',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({
        text: z.string().max(1000).optional().describe('words to look for in names and descriptions; the best fit first'),
        limit: z.int().min(1).max(1000).default(50),
      }),
      output: z.object({ tools: z.array(tool), total: z.int().describe('how many there are or fit, shown or not') }),
      async perform({ text = '', limit }, asker) {
        const found = await listTools(asker)
        if ('kind' in found) return found
        const items = found.map(json => ({ name: json.string('name') ?? '', description: json.string('description') ?? '', json }))
        const fitting = search(items, text)
        const tools = fitting
          .slice(0, limit)
          .map(({ name, description, json }) => ({ name, description, inputSchema: json.get('inputSchema')?.value ?? {} }))
        return { kind: 'done', value: { tools, total: fitting.length } }
      },
    }),
    defineOperation({
      name: 'call',
      summary: 'Calls a tool by its name, as list_tools gives it; the same rules hold as when you call it yourself.',
      effect: 'calls',
      scope: 'tenant',
      input: z.strictObject({ tool: z.string().min(1), arguments: z.record(z.string(), z.unknown()).optional() }),
      output: z.looseObject({}),
      async perform(input, asker) {
        const args = input.arguments as JsonObject | undefined
        const { result, error } = await ask(asker, views.all, 'tools/call', { name: input.tool, ...(args && { arguments: args }) })
        return result === undefined ? refusedBy(error) : { kind: 'passed', result }
      },
    }),
    defineOperation({
      name: 'list_servers',
      summary: 'Lists the servers behind the gateway that you may use, and how they are.',
      route: 'GET /servers',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({
        tag: tag.optional().describe('only those that have this tag'),
        owner: z.string().optional().describe('only those of this owner'),
      }),
      output: z.object({ servers: z.array(status) }),
      async perform({ tag: asked, owner }, asker) {
        const fitting = (await seen(asker)).filter(({ server }) => {
          const about = options.about(server)
          return (asked === undefined || about.tags?.includes(asked) === true) && (owner === undefined || about.owner === owner)
        })
        return { kind: 'done', value: { servers: fitting.map(one => show(one, asker)) } }
      },
    }),
    defineOperation({
      name: 'server_status',
      summary: 'Says how one server is: its state, since when, and the calls under way.',
      route: 'GET /servers/{server}',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({ server: z.string() }),
      output: status,
      async perform({ server }, asker) {
        const found = (await seen(asker)).filter(one => one.server === server)
        const best = found.find(({ state }) => state === 'ready') ?? found[0]
        if (best === undefined) return { kind: 'refused', code: 'not-found', message: 'no such server', field: 'server' }
        const several = found.some(one => one.version !== best.version) ? 'versions' : 'instances'
        const all = found.length > 1 ? { [several]: found.map(one => show(one, asker)) } : {}
        return { kind: 'done', value: { ...show(best, asker), ...all } }
      },
    }),
  ]
}

const NOBODY: Peer = { transport: 'stdio', header: () => [] }

/** What he shows is looked at again: a request of his is a request of his. */
function peerOf({ exchange }: Asker): Peer {
  return exchange?.peer ?? NOBODY
}

function refusedBy(error: Json | undefined): OperationAnswer {
  return { kind: 'refused', code: 'unavailable', message: error?.string('message') ?? 'no answer' }
}
