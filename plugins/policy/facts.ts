// From an exchange to what the evaluator asks of it. Arguments are looked at only where a condition asks for them.
import {
  ExactNumber,
  type Exchange,
  type Governed,
  type JsonObject,
  type JsonValue,
  nameOf,
  type Payload,
  type Principal,
} from 'mcpgw/plugin'
import { type Facts, type History, JsonNumber, normalise, TooLarge, type Value } from 'mcpgw/policy'

type Subject = Facts['principal']
type JsonSchema = Parameters<typeof normalise>[1]

/** What beside the exchange itself a decision looks at. */
export interface Surroundings {
  readonly history: History | undefined
  readonly session: Facts['session']
  /** Of a tool that is pinned. */
  annotationsOf(resource: Extract<Governed, { readonly kind: 'call' }>): Value | undefined
}

const NOBODY: Subject = { id: '', roles: [], tenant: '', claims: new Map() }
const NONE: Value = new Map()
const subjects = new WeakMap<Principal, Subject>()
const schemas = new WeakMap<Payload, { readonly schema: JsonSchema }>()
const values = new WeakMap<JsonObject, Value>()

export function factsOf(x: Exchange, resource: Governed, around: Surroundings): CallFacts {
  return new CallFacts(x, resource, around)
}

/** Without a plugin that authenticates, everybody is nobody: without roles, tenant and claims. */
export function subjectOf(principal: Principal | undefined): Subject {
  if (principal === undefined) return NOBODY
  let subject = subjects.get(principal)
  if (subject === undefined) {
    const { id, name, roles, tenant, claims } = principal
    subject = { id, name, roles, tenant, claims: exactly(claims as JsonValue) }
    subjects.set(principal, subject)
  }
  return subject
}

export class CallFacts implements Facts {
  readonly principal: Subject
  readonly action: Facts['action']
  readonly server: string
  readonly name: string
  readonly request: Facts['request']
  readonly history: History | undefined
  readonly session: Facts['session']
  readonly #x: Exchange
  readonly #resource: Governed
  readonly #around: Surroundings
  #args: Value | undefined
  /** Somebody looked at arguments that are too large for that: what he made of it says nothing. */
  isTooLarge = false

  constructor(x: Exchange, resource: Governed, around: Surroundings) {
    const { ip, transport } = x.peer
    this.principal = subjectOf(x.principal)
    this.action = resource.kind
    this.server = resource.server
    this.name = nameOf(resource)
    this.request = { time: new Date(x.at), ip, transport }
    this.history = around.history
    this.session = around.session
    this.#x = x
    this.#resource = resource
    this.#around = around
  }

  get args(): Value | undefined {
    const { kind } = this.#resource
    if (kind !== 'call' && kind !== 'prompt') return undefined
    if (this.#args !== undefined) return this.#args
    const args = readArgs(this.#x, this.#resource)
    this.isTooLarge = args instanceof TooLarge
    this.#args = args instanceof TooLarge ? NONE : args
    return this.#args
  }

  get annotations(): Value | undefined {
    return this.#resource.kind === 'call' ? this.#around.annotationsOf(this.#resource) : undefined
  }
}

function readArgs(x: Exchange, resource: Governed): Value | TooLarge {
  const payload = (resource.kind === 'call' ? resource.task?.args : undefined) ?? x.args
  if (payload.bytes.length === 2) return NONE
  return normalise(toJson(payload.value), resource.kind === 'call' ? schemaOf(resource.definition) : undefined)
}

function schemaOf(definition: Payload | undefined): JsonSchema {
  if (definition === undefined) return undefined
  let known = schemas.get(definition)
  if (known === undefined) {
    const { inputSchema } = definition.value as JsonObject
    known = { schema: isObject(inputSchema) ? inputSchema : undefined }
    schemas.set(definition, known)
  }
  return known.schema
}

/** Of what is asked for again and again. */
export function knownValue(json: JsonObject | undefined): Value | undefined {
  if (json === undefined) return undefined
  let value = values.get(json)
  if (value === undefined) {
    value = exactly(json)
    values.set(json, value)
  }
  return value
}

/** As the language takes JSON: a number that a JavaScript number would change as its text. The same value where it has none. */
export function toJson(value: JsonValue): unknown {
  if (value instanceof ExactNumber) return new JsonNumber(value.text)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map(toJson)
    return items.some((one, i) => one !== value[i]) ? items : value
  }
  const entries = Object.entries(value).map(([key, one]) => [key, toJson(one), one] as const)
  return entries.some(([, one, before]) => one !== before) ? new Map(entries.map(([key, one]) => [key, one])) : value
}

function exactly(json: JsonValue): Value {
  const value = normalise(toJson(json))
  if (value instanceof TooLarge) throw new Error('too large to be looked at')
  return value
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}
