// The variables of a condition and what is known of them before any schema.
import { type CelType, dyn, type Field, int, list, map, type ObjectType, string } from './cel-type.ts'

const object = (fields: Readonly<Record<string, CelType>>, optional: readonly string[] = []): ObjectType => ({
  kind: 'object',
  fields: new Map<string, Field>(Object.entries(fields).map(([name, type]) => [name, { type, optional: optional.includes(name) }])),
})

/** In the order of the documentation. */
export const languageVariables: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['args', map(string, dyn)],
  ['principal', object({ id: string, name: string, roles: list(string), tenant: string, claims: map(string, dyn) }, ['name'])],
  ['tool', object({ server: string, name: string, annotations: map(string, dyn) }, ['annotations'])],
  ['resource', object({ server: string, uri: string })],
  ['request', object({ time: { kind: 'timestamp' }, ip: string, transport: string }, ['ip', 'transport'])],
  ['session', object({ id: string, calls: int })],
])
