// From what the servers offer now to a catalog lock.
import { ExactNumber, type InspectedItem, type InspectedServer, type Inspection, type JsonObject } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { digestOf } from './digest.ts'
import { idOf, nameOf } from './holder.ts'

type LockedServer = Lock['servers'][string]
type LockedTool = LockedServer['tools'][number]
type LockedPrompt = LockedServer['prompts'][number]

/** `before`: servers that were not asked are kept as they are there. */
export function makeLock(inspection: Inspection, servers: readonly InspectedServer[], before?: Lock): Lock {
  const asked = new Set(servers.map(({ id }) => id))
  const all = new Map(Object.entries(before?.servers ?? {}).filter(([name]) => !asked.has(idOf(name))))
  for (const id of asked) {
    const versions = servers.filter(one => one.id === id)
    // Rules are about the server, and so about what any of its versions has.
    all.set(id, lockServer(unite(versions)))
    if (versions.length > 1) for (const one of versions) all.set(nameOf(id, one.version), lockServer(one))
  }
  return {
    v: 1,
    servers: Object.fromEntries([...all].sort(([a], [b]) => compare(a, b))),
    roles: sorted(inspection.roles),
    tenants: sorted(inspection.tenants),
    dischargers: sorted(inspection.dischargers),
  }
}

function unite(all: readonly InspectedServer[]): Pick<InspectedServer, 'tools' | 'resources' | 'templates' | 'prompts'> {
  return {
    tools: all.flatMap(({ tools }) => tools),
    resources: all.flatMap(({ resources }) => resources),
    templates: all.flatMap(({ templates }) => templates),
    prompts: all.flatMap(({ prompts }) => prompts),
  }
}

function lockServer({ tools, resources, templates, prompts }: ReturnType<typeof unite>): LockedServer {
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
