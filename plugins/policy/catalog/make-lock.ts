// From what the servers offer now to a catalog lock.
import { ExactNumber, type InspectedItem, type InspectedServer, type Inspection, type JsonObject } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { digestOf } from './digest.ts'

type LockedServer = Lock['servers'][string]
type LockedTool = LockedServer['tools'][number]
type LockedPrompt = LockedServer['prompts'][number]

/** `before`: servers that were not asked are kept as they are there. */
export function makeLock(inspection: Inspection, servers: readonly InspectedServer[], before?: Lock): Lock {
  const all = new Map<string, LockedServer>(Object.entries(before?.servers ?? {}))
  for (const server of servers) all.set(server.id, lockServer(server))
  return {
    v: 1,
    servers: Object.fromEntries([...all].sort(([a], [b]) => compare(a, b))),
    roles: sorted(inspection.roles),
    tenants: sorted(inspection.tenants),
    dischargers: sorted(inspection.dischargers),
  }
}

function lockServer({ tools, resources, templates, prompts }: InspectedServer): LockedServer {
  return {
    tools: inOrder(tools).map(lockTool),
    resources: inOrder(resources).map(item => ({ uri: item.name, digest: digestOf(item.definition), ...text(item, 'name') })),
    templates: inOrder(templates).map(item => ({ uriTemplate: item.name, digest: digestOf(item.definition), ...text(item, 'name') })),
    prompts: inOrder(prompts).map(lockPrompt),
  }
}

function lockTool(item: InspectedItem): LockedTool {
  const { inputSchema, outputSchema, annotations } = item.definition.value as JsonObject
  return {
    name: item.name,
    digest: digestOf(item.definition),
    ...text(item, 'description'),
    // Spec: server/tools: it is an object; a server that sends anything else has said nothing of its arguments.
    inputSchema: isObject(inputSchema) ? inputSchema : { type: 'object' },
    ...(isObject(outputSchema) && { outputSchema }),
    ...(isObject(annotations) && { annotations }),
  }
}

function lockPrompt(item: InspectedItem): LockedPrompt {
  const { arguments: given } = item.definition.value as JsonObject
  const args = (Array.isArray(given) ? given : []).flatMap(argument => {
    if (!isObject(argument) || typeof argument.name !== 'string') return []
    const { name, required, description } = argument
    return [{ name, ...(typeof required === 'boolean' && { required }), ...(typeof description === 'string' && { description }) }]
  })
  return {
    name: item.name,
    digest: digestOf(item.definition),
    ...text(item, 'description'),
    ...(args.length > 0 && { arguments: args }),
  }
}

function text<K extends 'name' | 'description'>({ definition }: InspectedItem, key: K): { readonly [P in K]?: string } {
  const value = (definition.value as JsonObject)[key]
  return typeof value === 'string' ? ({ [key]: value } as { readonly [P in K]?: string }) : {}
}

/** By name; of two of one name the first, which is the one that the gateway shows. */
function inOrder(items: readonly InspectedItem[]): readonly InspectedItem[] {
  const first = new Map<string, InspectedItem>()
  for (const item of items) if (!first.has(item.name)) first.set(item.name, item)
  return [...first.values()].sort((a, b) => compare(a.name, b.name))
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}
