// What may stand under `instances` of a server, and what must hold of it beside its form.
import * as z from 'zod'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { url } from './fields.ts'
import { headers } from './headers-shape.ts'
import type { Balance } from './schema.ts'
import { member, type Source, type Tree } from './tree.ts'

export type InstancesShape = number | readonly (string | InstanceShape)[]
export interface InstanceShape {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}

const MOST = 100

export const instances: z.ZodType<InstancesShape> = z
  .union([
    z.number().int().min(2).max(MOST),
    z
      .array(z.union([url, z.strictObject({ url, headers: headers.optional() })]))
      .min(1)
      .max(MOST),
  ])
  .meta({
    description: 'Several that do the same: urls, in place of the one, or so many processes of the command, which then is shared',
    examples: [['http://10.0.0.1:8000/mcp', 'http://10.0.0.2:8000/mcp'], 3],
  })
export const balance: z.ZodType<Balance> = z.enum(['round-robin', 'least-pending', 'by-principal']).meta({
  description: 'Which instance takes a call, or a session where the server has any: default least-pending',
})

/** Works on the text, so that it runs beside the schema. */
export function checkInstances(source: Source, entry: Tree): Diagnostic[] {
  if (entry.kind !== 'map') return []
  const keyOf = (key: string) => entry.entries.find(one => one.key === key)?.keySpan
  const found: Diagnostic[] = []
  const conflict = (key: string, message: string): void => {
    const at = keyOf(key)
    if (at !== undefined) found.push(diagnose(source, at, { code: 'conflicting-keys', message }))
  }
  const given = member(entry, 'instances')
  if (given === undefined) {
    conflict('balance', '"balance" chooses among "instances", and there are none')
    return found
  }
  if (given.kind === 'list') {
    conflict('url', 'a server has a url or a list of instances, not both')
    conflict('command', 'the instances of a command are a number, as in instances: 3')
    return found
  }
  conflict('url', 'the instances of a remote server are a list of urls, in place of "url"')
  const shared = member(entry, 'shared')
  if (keyOf('command') !== undefined && !(shared?.kind === 'scalar' && shared.value === true))
    conflict('instances', 'instances of a command need shared: true; without it each principal has a process of his own')
  return found
}
