// Whether what a server offers is what the lock has: asked when a list is shown and when a call is made, told once for each difference.
import type { JsonObject, Payload } from 'mcpgw/plugin'
import type { Lock } from 'mcpgw/policy'
import { digestOf } from './digest.ts'
import { idOf } from './holder.ts'

export type PinKind = 'tool' | 'resource' | 'template' | 'prompt'

export interface Drift {
  readonly server: string
  readonly kind: PinKind
  readonly name: string
  /** Digest in the lock; absent where the lock does not have it. */
  readonly locked?: string
  /** Digest of what the server offers. */
  readonly now: string
}

/** `server`: as `nameOf` of `holder.ts` calls it, with the version where there is one. */
export interface Pins {
  /** True where the lock has it as it is. Without a definition (a request that has none): as it was seen last. */
  isPinned(kind: PinKind, server: string, name: string, definition?: Payload): boolean
  /** Of a tool that is as the lock has it, else undefined: of any other they are a stranger's word. */
  annotationsOf(server: string, tool: string, definition: Payload | undefined): JsonObject | undefined
  /** True for a uri that is listed in the lock or can come of a template there, and has not been seen to differ. */
  mayRead(server: string, uri: string): boolean
  /** All that differ now, oldest first; of what the lock does not have, at most about 1000. */
  readonly drifts: readonly Drift[]
}

export interface PinOptions {
  /** How uris are compared. */
  normaliseUri(uri: string): string
  /** A difference is new, or is no more. */
  onChange(drift: Drift, isGone: boolean): void
}

/** A server may offer strangers for ever; so many are told. What the lock has is bounded, and always told: it is refused for it. */
const maxDrifts = 1000

interface LockedNames {
  readonly digests: ReadonlyMap<string, string>
  readonly uris: ReadonlySet<string>
  readonly templates: readonly string[]
}

const digests = new WeakMap<Payload, string>()

export function createPins(lock: Lock, { normaliseUri, onChange }: PinOptions): Pins {
  const servers = new Map(Object.entries(lock.servers).map(([id, server]) => [id, namesOf(server, normaliseUri)]))
  const drifts = new Map<string, Drift>()
  const annotations = new WeakMap<Payload, JsonObject | undefined>()

  /** Of a version that the lock has no entry of its own for, what it has of the server. */
  function lockedFor(server: string): LockedNames | undefined {
    return servers.get(server) ?? servers.get(idOf(server))
  }

  function isPinned(kind: PinKind, server: string, name: string, definition?: Payload): boolean {
    const key = keyOf(kind, name)
    const locked = lockedFor(server)?.digests.get(key)
    const about = `${server}\0${key}`
    if (definition === undefined) return locked !== undefined && !drifts.has(about)
    // What stands for a uri that nobody listed is no definition of a server.
    if (kind === 'resource' && isBare(definition)) return mayRead(server, name)
    const now = digest(definition)
    if (locked === now) {
      const was = drifts.get(about)
      if (was !== undefined && drifts.delete(about)) onChange(was, true)
      return true
    }
    const known = drifts.get(about)
    if (known?.now === now || (known === undefined && locked === undefined && drifts.size >= maxDrifts)) return false
    const drift: Drift = { server, kind, name, ...(locked !== undefined && { locked }), now }
    drifts.set(about, drift)
    onChange(drift, false)
    return false
  }

  function mayRead(server: string, uri: string): boolean {
    const names = lockedFor(server)
    if (names === undefined) return false
    const plain = normaliseUri(uri)
    if (names.uris.has(plain))
      return ![...drifts.values()].some(one => one.kind === 'resource' && one.server === server && normaliseUri(one.name) === plain)
    return names.templates.some(
      template => (template === uri || matches(template, plain)) && !drifts.has(`${server}\0${keyOf('template', template)}`),
    )
  }

  return {
    isPinned,
    mayRead,
    annotationsOf(server, tool, definition) {
      if (definition === undefined || !isPinned('tool', server, tool, definition)) return undefined
      if (!annotations.has(definition)) {
        const found = (definition.value as JsonObject).annotations
        annotations.set(
          definition,
          typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as JsonObject) : undefined,
        )
      }
      return annotations.get(definition)
    },
    get drifts() {
      return [...drifts.values()]
    },
  }
}

function digest(definition: Payload): string {
  let known = digests.get(definition)
  if (known === undefined) {
    known = digestOf(definition)
    digests.set(definition, known)
  }
  return known
}

function namesOf(server: Lock['servers'][string], normaliseUri: (uri: string) => string): LockedNames {
  const known = new Map<string, string>()
  for (const { name, digest } of server.tools) known.set(keyOf('tool', name), digest)
  for (const { name, digest } of server.prompts) known.set(keyOf('prompt', name), digest)
  for (const { uri, digest } of server.resources) known.set(keyOf('resource', uri), digest)
  for (const { uriTemplate, digest } of server.templates) known.set(keyOf('template', uriTemplate), digest)
  return {
    digests: known,
    uris: new Set(server.resources.map(({ uri }) => normaliseUri(uri))),
    templates: server.templates.map(({ uriTemplate }) => uriTemplate),
  }
}

function keyOf(kind: PinKind, name: string): string {
  return `${kind}\0${name}`
}

function isBare(definition: Payload): boolean {
  const keys = Object.keys(definition.value as JsonObject)
  return keys.length === 1 && keys[0] === 'uri'
}

/** RFC 6570, level 1: each expression stands for one or more characters. In linear time. */
function matches(template: string, uri: string): boolean {
  const [first = '', ...others] = template.split(/\{[^{}]*\}/)
  const last = others.pop()
  if (last === undefined) return uri === first
  if (!uri.startsWith(first) || !uri.endsWith(last)) return false
  let at = first.length
  for (const literal of others) {
    const found = uri.indexOf(literal, at + 1)
    if (found < 0) return false
    at = found + literal.length
  }
  return at < uri.length - last.length
}
