// Holds an event against the published class definition of OCSF, strictly: what the schema does not name is a fault, too.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

interface Attribute {
  readonly type: string
  readonly base?: string
  readonly object?: string
  readonly array?: true
  readonly requirement: string
  readonly enum?: readonly string[]
  readonly profile?: string
}
interface Definition {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly constraints?: Readonly<Record<string, readonly string[]>>
}
interface Schema {
  readonly class: Definition
  readonly objects: Readonly<Record<string, Definition>>
}

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../fixtures/exports/ocsf-1.8.0.json'), 'utf8')) as Schema
type Fields = Readonly<Record<string, unknown>>

/** All that is wrong with it. */
export function findOcsfFaults(event: Fields): string[] {
  const { metadata } = event as { metadata?: { profiles?: string[] } }
  const faults = check(event, schema.class, '', new Set(metadata?.profiles ?? []))
  const { class_uid, activity_id, type_uid, category_uid } = event
  if (class_uid !== 6003 || category_uid !== 6 || type_uid !== 600_300 + Number(activity_id)) faults.push('the class is not 6003')
  return faults
}

function check(value: Fields, { attributes, constraints = {} }: Definition, path: string, profiles: ReadonlySet<string>): string[] {
  const faults: string[] = []
  for (const [name, inner] of Object.entries(value)) {
    const attribute = attributes[name]
    const at = `${path}${name}`
    if (attribute === undefined) faults.push(`${at}: unknown`)
    else if (attribute.profile !== undefined && !profiles.has(attribute.profile)) faults.push(`${at}: of profile ${attribute.profile}`)
    else if (attribute.array === true && !Array.isArray(inner)) faults.push(`${at}: no array`)
    else for (const one of attribute.array === true ? (inner as unknown[]) : [inner]) faults.push(...checkOne(one, attribute, at, profiles))
  }
  for (const [name, { requirement, profile }] of Object.entries(attributes))
    if (requirement === 'required' && (profile === undefined || profiles.has(profile)) && value[name] === undefined)
      faults.push(`${path}${name}: missing`)
  for (const [kind, names] of Object.entries(constraints)) {
    const found = names.filter(name => value[name] !== undefined).length
    if (kind === 'at_least_one' ? found === 0 : found !== 1) faults.push(`${path}: ${kind} of ${names.join(', ')}`)
  }
  return faults
}

function checkOne(value: unknown, attribute: Attribute, at: string, profiles: ReadonlySet<string>): string[] {
  const { type, base, object, enum: values } = attribute
  if (object !== undefined) {
    const definition = schema.objects[object]
    if (definition === undefined) return object === 'object' ? [] : [`${at}: object ${object} is not in the fixture`]
    return typeof value === 'object' && value !== null ? check(value as Fields, definition, `${at}.`, profiles) : [`${at}: no object`]
  }
  if (values !== undefined && typeof value === 'number' && !values.includes(String(value)))
    return [`${at}: ${value} is none of ${values.join(', ')}`]
  const kind = base ?? type
  if (/^(integer|long|timestamp|port)_t$/.test(kind)) return Number.isSafeInteger(value) ? [] : [`${at}: no integer`]
  if (kind === 'boolean_t') return typeof value === 'boolean' ? [] : [`${at}: no boolean`]
  if (kind === 'json_t' || kind === 'object') return []
  if (type === 'ip_t' && isIP(String(value)) === 0) return [`${at}: no address`]
  return typeof value === 'string' ? [] : [`${at}: no string`]
}
