// What the first tenant does: calls, tasks, subscriptions, bursts, things left open; all of it marked with its canary.
import fc from 'fast-check'
import { type Streaming, send } from '../core/data-plane/clients.ts'
import { type StatelessClient, visitHttp } from '../core/data-plane/stateless-client.ts'
import { TOOLS, type World } from './tenants-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any
export type Headers = Readonly<Record<string, string>>

/** What a client of the first tenant was given to keep, or what looks like it. */
export interface Held {
  readonly session: string
  readonly event: string
  readonly task: string
  readonly cursor: string
  readonly state: string
  /** The id of his key. */
  readonly key: string
  /** The id of a request for approval of his. */
  readonly request: string
}

const server = fc.constantFrom('own', 'docs', 'wiki')
export const act = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), server, tool: fc.constantFrom(...TOOLS.slice(0, 4), 'forbidden', 'nothing') }),
  fc.record({ kind: fc.constant('burst' as const), server, tool: fc.constantFrom('few', 'limited', 'dear') }),
  fc.record({ kind: fc.constantFrom('task', 'hang', 'read', 'subscribe', 'prompt', 'complete', 'visit', 'listen'), server }),
  fc.record({ kind: fc.constantFrom('lists', 'key', 'strangers', 'leave', 'twin') }),
)
export type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

export const common: Headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
export const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` })

export function initializeAs(name: string, capabilities: object = {}): string {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name, version: '1' } }
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
}

interface Resident {
  readonly key: string
  readonly session: string
  readonly streams: Streaming[]
  ask(method: string, params?: object): Promise<Any>
  open(method: string, params?: object): Promise<Streaming>
}

async function enter(world: World, key: string): Promise<Resident> {
  const { canary } = world.names
  const headers = { ...common, ...bearer(key) }
  const greeted = await (await send(world, 'POST', '/mcp', initializeAs(`client-${canary}`, { roots: {}, elicitation: {} }), headers)).done
  const session = String(greeted.headers['mcp-session-id'])
  const own = { ...headers, 'mcp-session-id': session }
  let next = 1
  const open: Resident['open'] = (method, params) =>
    send(world, 'POST', '/mcp', JSON.stringify({ jsonrpc: '2.0', id: next++, method, ...(params && { params }) }), own)
  return {
    key,
    session,
    streams: [await send(world, 'GET', '/mcp', undefined, own)],
    open,
    async ask(method, params) {
      const { messages } = await (await open(method, params)).done
      return JSON.parse(messages.at(-1) ?? 'null')
    },
  }
}

const nameOn = (world: World, one: string, name: string): string => `${one === 'own' ? world.names.server : one}__${name}`
const secret = ({ names }: World): object => ({ secret: `plans-${names.canary}` })

/** Lives through all of it; some of it is left open, until `close`. */
export async function liveFirst(world: World, acts: readonly Act[]): Promise<{ held: Held; close(): void }> {
  const { canary } = world.names
  const left: Streaming[] = []
  let me = await enter(world, world.keys.first)
  const visitor = visitHttp(world, { name: `visitor-${canary}`, capabilities: '{"elicitation":{}}', headers: bearer(world.keys.first) })
  left.push(...me.streams)
  const { result: listed, error } = await me.ask('resources/list')
  if (listed === undefined) throw new Error(`nothing is listed: ${JSON.stringify(error)}`)
  const made = await me.ask('tools/call', { name: nameOn(world, 'wiki', 'look'), arguments: secret(world), task: { ttl: 60_000 } })
  const asked = await visitor.ask('tools/call', { name: nameOn(world, 'docs', 'question'), arguments: secret(world) })
  const waits = await me.ask('tools/call', { name: nameOn(world, 'own', 'held'), arguments: secret(world) })
  const held: Held = {
    session: me.session,
    event: me.streams[0]!.ids[0] ?? 'none',
    task: made.result.task.taskId,
    cursor: listed.nextCursor,
    state: asked.result.requestState,
    key: world.keys.first.slice(4, 12),
    request: /apr_[0-9a-f]+/.exec(waits.result.content[0].text)![0],
  }
  for (const text of Object.values(held)) if (typeof text !== 'string') throw new Error(`nothing is held: ${JSON.stringify(held)}`)
  for (const one of acts) me = (await perform(world, me, visitor, one, left)) ?? me
  return {
    held,
    close: () =>
      left.forEach(({ drop }) => {
        drop()
      }),
  }
}

/** The session it goes on with, where it is another one. */
async function perform(world: World, me: Resident, visitor: StatelessClient, one: Act, left: Streaming[]): Promise<Resident | undefined> {
  const { canary, tenant } = world.names
  const on = (name: string): string => nameOn(world, 'server' in one ? one.server : 'own', name)
  const args = secret(world)
  const _meta = { progressToken: `progress-${canary}` }
  switch (one.kind) {
    case 'call':
      // Then what the other one asks for, too, so that there is an answer to it that is marked.
      for (const own of [args, {}, { about: 'me' }]) await me.ask('tools/call', { name: on(one.tool), arguments: own, _meta })
      return
    case 'burst':
      for (let i = 0; i < 5; i++) await me.ask('tools/call', { name: on(one.tool), arguments: { ...args, i } })
      return
    case 'task':
      await me.ask('tools/call', { name: on('look'), arguments: args, task: { ttl: 60_000 }, _meta })
      await me.ask('tasks/list')
      return
    case 'hang':
      // Nothing comes of it, before the gateway stops.
      me.open('tools/call', { name: on('slow'), arguments: args, _meta }).catch(() => undefined)
      await new Promise(resolve => setTimeout(resolve, 50))
      return
    case 'read':
      await me.ask('resources/read', { uri: 'x:1' })
      return
    case 'subscribe':
      await me.ask('resources/subscribe', { uri: `x:of-${canary}` })
      return
    case 'prompt':
      await me.ask('prompts/get', { name: on('ask'), arguments: args })
      return
    case 'complete':
      await me.ask('completion/complete', { ref: { type: 'ref/prompt', name: on('ask') }, argument: { name: 'n', value: canary } })
      return
    case 'visit':
      await visitor.ask('tools/call', { name: on('look'), arguments: args, _meta })
      return
    case 'listen':
      left.push(
        await visitor.start('subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: [`x:${canary}`] } }),
      )
      return
    case 'lists':
      for (const method of ['tools/list', 'prompts/list', 'resources/templates/list']) await me.ask(method)
      return
    case 'key': {
      const { text } = await world.say(['keys', 'create', `key of ${canary}`, `new-${canary}`, 'reader', '--tenant', tenant, '--json'])
      await world.say(['keys', 'revoke', (JSON.parse(text.slice(text.indexOf('{'))) as { id: string }).id])
      return
    }
    case 'strangers': {
      const body = initializeAs(`stranger-${canary}`)
      for (const more of [{}, bearer(`mgk_${canary}`), { ...bearer(world.keys.first), 'mcp-session-id': canary }])
        await (await send(world, 'POST', '/mcp', body, { ...common, ...more })).done
      return
    }
    case 'leave':
      await (await send(world, 'DELETE', '/mcp', undefined, { ...common, ...bearer(me.key), 'mcp-session-id': me.session })).done
      return keep(await enter(world, me.key), left)
    case 'twin':
      return keep(await enter(world, world.keys.twin), left)
  }
}

function keep(resident: Resident, left: Streaming[]): Resident {
  left.push(...resident.streams)
  return resident
}
