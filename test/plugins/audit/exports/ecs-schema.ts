// Holds an event against the published fields of the Elastic Common Schema; what is ours stands under `mcpgw` only.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

interface Schema {
  readonly version: string
  /** Type of each field, with `[]` where it is an array. */
  readonly fields: Readonly<Record<string, string>>
  /** Of each field that has only some values: to each of them the event types that go with it. */
  readonly allowed: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}
const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../fixtures/exports/ecs-9.4.0.json'), 'utf8')) as Schema

/** All that is wrong with it. */
export function findEcsFaults(event: Readonly<Record<string, unknown>>): string[] {
  const flat = new Map(flatten(event, '').filter(([name]) => !name.startsWith('mcpgw.')))
  const faults = [...flat].flatMap(([name, value]) => findFault(name, value))
  for (const name of ['@timestamp', 'ecs.version']) if (!flat.has(name)) faults.push(`${name}: missing`)
  if (flat.get('ecs.version') !== schema.version) faults.push('ecs.version: another one')
  for (const category of (flat.get('event.category') as string[] | undefined) ?? [])
    for (const type of (flat.get('event.type') as string[] | undefined) ?? [])
      if (schema.allowed['event.category']?.[category]?.includes(type) !== true)
        faults.push(`event.type: ${type} does not go with ${category}`)
  return faults
}

function flatten(value: Readonly<Record<string, unknown>>, path: string): [string, unknown][] {
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? flatten(inner as Readonly<Record<string, unknown>>, `${path}${name}.`)
      : [[`${path}${name}`, inner]],
  )
}

function findFault(name: string, value: unknown): string[] {
  const type = schema.fields[name]
  if (type === undefined) return [`${name}: is no field`]
  if (type.endsWith('[]') !== Array.isArray(value)) return [`${name}: ${type}`]
  const allowed = schema.allowed[name]
  return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
    if (allowed !== undefined && !Object.hasOwn(allowed, String(one))) return [`${name}: ${String(one)} is not allowed`]
    return fits(one, type.replace('[]', '')) ? [] : [`${name}: no ${type}`]
  })
}

function fits(value: unknown, type: string): boolean {
  if (type === 'long' || type === 'integer') return Number.isSafeInteger(value)
  if (type === 'date') return typeof value === 'string' && new Date(value).toISOString() === value
  if (type === 'ip') return isIP(String(value)) !== 0
  return typeof value === 'string'
}
