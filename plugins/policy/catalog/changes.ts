// What differs between two locks: which tools, resources and prompts have come, gone or changed, and in what.
import type { Lock } from 'mcpgw/policy'
import { quote, showUnseen } from './lock-text.ts'

type LockedServer = Lock['servers'][string]

export interface Change {
  readonly server: string
  readonly kind: 'tool' | 'resource' | 'template' | 'prompt'
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Of what changed: where, by JSON pointer into what the lock keeps of the definition, and how. Empty: in something that the lock keeps only the digest of. */
  readonly where: readonly Difference[]
}
export interface Difference {
  readonly path: string
  /** JSON text, shortened; absent where there is nothing. */
  readonly before?: string
  readonly now?: string
}

interface Locked {
  readonly name?: string
  readonly uri?: string
  readonly uriTemplate?: string
  readonly digest: string
}

const kinds = [
  ['tool', 'tools', 'name'],
  ['resource', 'resources', 'uri'],
  ['template', 'templates', 'uriTemplate'],
  ['prompt', 'prompts', 'name'],
] as const
const none: LockedServer = { tools: [], resources: [], templates: [], prompts: [] }
/** So many places of one definition are told, and so much of each value. */
const maxPlaces = 10
const maxText = 120

export function findChanges(before: Lock, now: Lock): readonly Change[] {
  const ids = [...new Set([...Object.keys(before.servers), ...Object.keys(now.servers)])].sort()
  return ids.flatMap(id => changesOf(id, ownServer(before, id), ownServer(now, id)))
}

function ownServer({ servers }: Lock, id: string): LockedServer {
  return Object.hasOwn(servers, id) ? servers[id]! : none
}

function changesOf(server: string, before: LockedServer, now: LockedServer): readonly Change[] {
  const changes: Change[] = []
  for (const [kind, list, nameKey] of kinds) {
    const byName = (items: readonly Locked[]) => new Map(items.map(item => [item[nameKey] ?? '', item]))
    const old = byName(before[list])
    const fresh = byName(now[list])
    for (const name of [...new Set([...old.keys(), ...fresh.keys()])].sort()) {
      const was = old.get(name)
      const is = fresh.get(name)
      if (was?.digest === is?.digest) continue
      const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
      changes.push({ server, kind, name, change, where: change === 'changed' ? differences(was, is) : [] })
    }
  }
  return changes
}

function differences(was: unknown, is: unknown): readonly Difference[] {
  const found: Difference[] = []
  compare('', was, is, found)
  return found.filter(({ path }) => path !== '/digest').slice(0, maxPlaces)
}

function compare(path: string, was: unknown, is: unknown, found: Difference[]): void {
  if (found.length > maxPlaces) return
  if (isPlain(was) && isPlain(is)) {
    for (const key of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort())
      compare(`${path}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`, own(was, key), own(is, key), found)
    return
  }
  if (JSON.stringify(was) === JSON.stringify(is)) return
  const from = typeof was === 'string' && typeof is === 'string' ? Math.max(0, firstDifference(was, is) - maxText / 4) : 0
  found.push({ path, ...(was !== undefined && { before: short(was, from) }), ...(is !== undefined && { now: short(is, from) }) })
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function firstDifference(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** Long texts mostly begin alike: they are shown from where they part. */
function short(value: unknown, from: number): string {
  const text = typeof value === 'string' ? quote(from === 0 ? value : `…${value.slice(from)}`) : showUnseen(JSON.stringify(value))
  return text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text
}
