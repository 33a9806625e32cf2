// Reads a JSON tree strictly: what is expected, missing, unknown or there twice is told with its place.
import type { Node } from 'jsonc-parser'

export interface Reader {
  readonly report: (node: Node, message: string) => void
}
/** Undefined where something was reported. `path` is empty for the whole. */
export type Read = (reader: Reader, node: Node, path: string) => unknown

export function expected(reader: Reader, node: Node, what: string, path: string): undefined {
  reader.report(node, `expected ${what} as ${quote(path)}, found ${kindOf(node)}`)
}

export const readString: Read = (reader, node, path) =>
  typeof node.value === 'string' ? node.value : expected(reader, node, 'a string', path)

export const readFlag: Read = (reader, node, path) =>
  typeof node.value === 'boolean' ? node.value : expected(reader, node, 'true or false', path)

/** `key`: the member that no two items may share; without it, no item may stand twice. */
export function readList(read: Read, key?: string): Read {
  return (reader, node, path) => {
    if (node.type !== 'array') return expected(reader, node, 'a list', path)
    const seen = new Set<unknown>()
    return (node.children ?? []).map((child, at) => {
      const item = read(reader, child, `${path}[${at}]`)
      const id = key === undefined ? item : (item as Record<string, unknown> | undefined)?.[key]
      if (id !== undefined && seen.has(id))
        reader.report(child, `${quote(path)} has \`${typeof id === 'string' ? id : JSON.stringify(id)}\` twice`)
      seen.add(id)
      return item
    })
  }
}

/** Any names; the record has no prototype, so that a name like `constructor` finds nothing. */
export function readRecord(read: Read): Read {
  return (reader, node, path) => {
    const members = membersOf(reader, node, path)
    if (members === undefined) return undefined
    const record: Record<string, unknown> = Object.create(null)
    for (const [key, value] of members) record[key] = read(reader, value, `${path}.${key}`)
    return record
  }
}

export function readObject(required: Readonly<Record<string, Read>>, optional: Readonly<Record<string, Read>> = {}): Read {
  const known = new Map(Object.entries({ ...optional, ...required }))
  return (reader, node, path) => {
    const members = membersOf(reader, node, path)
    if (members === undefined) return undefined
    const object: Record<string, unknown> = {}
    for (const [key, value] of members) {
      const read = known.get(key)
      if (read === undefined) reader.report(value.parent?.children?.[0] ?? value, `${quote(path)} has no member \`${key}\``)
      else object[key] = read(reader, value, path === '' ? key : `${path}.${key}`)
    }
    for (const key of Object.keys(required)) if (!members.has(key)) reader.report(node, `${quote(path)} lacks its member \`${key}\``)
    return object
  }
}

/** JSON as it stands, without prototypes; a member that stands twice is found here too. */
export const readPlain: Read = (reader, node, path) => {
  if (node.type === 'array') return (node.children ?? []).map(child => readPlain(reader, child, path))
  return node.type === 'object' ? readRecord(readPlain)(reader, node, path) : node.value
}

function membersOf(reader: Reader, node: Node, path: string): Map<string, Node> | undefined {
  if (node.type !== 'object') return expected(reader, node, 'an object', path)
  const members = new Map<string, Node>()
  for (const { children = [] } of node.children ?? []) {
    const [key, value] = children
    if (key === undefined || value === undefined) continue
    if (members.has(key.value)) reader.report(key, `${quote(path)} has the member \`${key.value}\` twice`)
    members.set(key.value, value)
  }
  return members
}

function quote(path: string): string {
  return path === '' ? 'the lock' : `\`${path}\``
}

function kindOf(node: Node): string {
  if (node.type === 'array') return 'a list'
  if (node.type === 'object') return 'an object'
  return node.type === 'null' ? '`null`' : `\`${JSON.stringify(node.value).slice(0, 40)}\``
}
