// Makes a masked value fit the schema that the value fitted: what it met before, it must meet after.
import { ExactNumber, type JsonArray, type JsonObject, type JsonValue } from 'mcpgw/plugin'
import { mapArray, mapMembers } from '../field-path.ts'
import { isObject } from '../shape.ts'
import { isSchemaObject, resolve, type Schema, type SchemaObject } from './reference.ts'
import { fits, isMatch, type Scalar } from './scalar.ts'
import { candidates } from './stand-in.ts'

export interface Fitted {
  readonly value: JsonValue
  /** Leaves that had to become something else than the mask: where they stand, what they were, what they are. */
  readonly changes: readonly Change[]
}
export interface Change {
  readonly path: readonly (string | number)[]
  readonly masked: JsonValue
  readonly value: JsonValue
}
/** A JSON pointer to what can be nothing that is allowed. */
export interface Misfit {
  readonly misfit: string
}

type Place = readonly (string | number)[]

// No object of a real schema is described in more places.
const widest = 200

export function fitTo(schema: Schema, before: JsonValue, after: JsonValue): Fitted | Misfit {
  const changes: Change[] = []
  let misfit: Place | undefined

  function refit(was: JsonValue, is: JsonValue, given: readonly Schema[], place: Place): JsonValue {
    if (was === is || misfit !== undefined || given.length === 0) return is
    if (Array.isArray(was)) return Array.isArray(is) ? fitItems(was, is, flatten(given), place) : fail(is, place)
    if (isObject(was)) return isObject(is) ? fitMembers(was, is, flatten(given), place) : fail(is, place)
    const old = toScalar(was)
    const met = given.filter(one => fits(one, old, schema))
    const value = candidates(old, toScalar(is), met).find(one => met.every(schemaOf => fits(schemaOf, one, schema)))
    if (value === undefined) return fail(is, place)
    if (value === is) return is
    changes.push({ path: place, masked: is, value })
    return value
  }

  function fitItems(was: JsonArray, is: JsonArray, nodes: readonly SchemaObject[], place: Place): JsonValue {
    const items = mapArray(is, (item, i) =>
      refit(
        was[i]!,
        item,
        nodes.flatMap(node => itemSchema(node, i)),
        [...place, i],
      ),
    )
    const texts = nodes.some(node => node.uniqueItems === true) ? items.map(item => JSON.stringify(item)) : []
    return new Set(texts).size < texts.length ? fail(items, place) : items
  }

  function fitMembers(was: JsonObject, is: JsonObject, nodes: readonly SchemaObject[], place: Place): JsonValue {
    const gone = Object.keys(was).filter(key => !Object.hasOwn(is, key))
    const isNeeded = (key: string): boolean => nodes.some(({ required }) => Array.isArray(required) && required.includes(key))
    if (gone.some(isNeeded)) return fail(is, place)
    let renamed = 0
    return mapMembers(is, (member, key) => {
      const isOld = Object.hasOwn(was, key)
      const old = isOld ? was[key] : was[gone[renamed++] ?? '']
      if (!isOld && !nodes.every(node => mayBeCalled(node, key))) return fail(member, [...place, key])
      return old === undefined
        ? member
        : refit(
            old,
            member,
            nodes.flatMap(node => memberSchemas(node, key)),
            [...place, key],
          )
    })
  }

  function mayBeCalled(node: SchemaObject, key: string): boolean {
    return fits(node.propertyNames as Schema | undefined, key, schema) && !memberSchemas(node, key).includes(false)
  }

  /** With everything that they lead to for the same value. */
  function flatten(given: readonly Schema[]): readonly SchemaObject[] {
    const nodes = new Set<SchemaObject>()
    const wanted: unknown[] = [...given]
    while (wanted.length > 0 && nodes.size < widest) {
      const one = wanted.pop()
      if (!isSchemaObject(one) || nodes.has(one)) continue
      nodes.add(one)
      if (typeof one.$ref === 'string') wanted.push(resolve(schema, one.$ref))
      for (const list of [one.allOf, one.anyOf, one.oneOf]) if (Array.isArray(list)) wanted.push(...(list as unknown[]))
      wanted.push(one.then, one.else)
    }
    return [...nodes]
  }

  function fail(value: JsonValue, place: Place): JsonValue {
    misfit ??= place
    return value
  }

  const value = refit(before, after, [schema], [])
  return misfit === undefined ? { value, changes } : { misfit: pointerOf(misfit) }
}

function itemSchema({ prefixItems, items, additionalItems }: SchemaObject, i: number): readonly Schema[] {
  const listed = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : []
  if (i < listed.length) return [listed[i] as Schema]
  const rest = Array.isArray(items) ? additionalItems : items
  return rest === undefined ? [] : [rest as Schema]
}

function memberSchemas({ properties, patternProperties, additionalProperties }: SchemaObject, key: string): readonly Schema[] {
  const found: Schema[] = []
  if (isSchemaObject(properties) && Object.hasOwn(properties, key)) found.push(properties[key] as Schema)
  if (isSchemaObject(patternProperties)) {
    for (const pattern of Object.keys(patternProperties)) if (isMatch(pattern, key)) found.push(patternProperties[pattern] as Schema)
  }
  if (found.length === 0 && additionalProperties !== undefined) found.push(additionalProperties as Schema)
  return found
}

function toScalar(value: JsonValue): Scalar {
  return value instanceof ExactNumber ? Number(value.text) : (value as Scalar)
}

function pointerOf(place: Place): string {
  return place.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
