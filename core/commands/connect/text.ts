// The text of a client's file with the gateway in it, and without it again.
import { findNodeAtLocation, getNodeValue } from 'jsonc-parser'
import { readObject, removeMember, setMember } from '../clients/edit.ts'
import { type Client, ENTRY, KEY_INPUT } from '../clients/table.ts'
import { keyInput } from './entry.ts'

interface How {
  /** The other servers are taken out: they are reached through the gateway. */
  readonly isOnly: boolean
  readonly needsKey: boolean
}

/** A problem where it cannot be understood, or holds something else than expected. */
export function connectText(
  file: string,
  before: string,
  { member, key }: Client,
  entry: object,
  { isOnly, needsKey }: How,
): string | { readonly problem: string } {
  const text = before.trim() === '' ? '{}\n' : before
  const root = readObject(file, text)
  if (typeof root === 'string') return { problem: root }
  const servers = findNodeAtLocation(root, [member])
  if (servers !== undefined && servers.type !== 'object') return { problem: `${file}: "${member}" is no object` }
  const others = isOnly ? (servers?.children ?? []).map(one => String(one.children?.[0]?.value)).filter(name => name !== ENTRY) : []
  let after = servers === undefined ? setMember(text, [member], {}) : text
  for (const name of others) after = removeMember(after, [member, name])
  after = setMember(after, [member, ENTRY], entry)
  if (key !== 'input' || !needsKey) return after
  const inputs = findNodeAtLocation(root, ['inputs'])
  if (inputs === undefined) return setMember(after, ['inputs'], [keyInput])
  const known = getNodeValue(inputs) as unknown
  if (!Array.isArray(known)) return { problem: `${file}: "inputs" is no list` }
  return known.some(one => (one as { readonly id?: unknown } | null)?.id === KEY_INPUT)
    ? after
    : setMember(after, ['inputs', known.length], keyInput)
}

/** The key that stands in the file already, for the gateway at this address. */
export function keyIn(text: string, { member, key }: Client, url: string): string | undefined {
  const root = key === 'file' ? readObject('', text) : ''
  const entry = typeof root === 'string' ? undefined : findNodeAtLocation(root, [member, ENTRY])
  const value = entry && (getNodeValue(entry) as { readonly url?: unknown; readonly headers?: { readonly Authorization?: unknown } })
  const header = value?.url === url ? value.headers?.Authorization : undefined
  return typeof header === 'string' && header.startsWith('Bearer ') ? header.slice('Bearer '.length) : undefined
}

export interface Undone {
  readonly text: string
  /** There was no file. */
  readonly isGone: boolean
  /** All is as it was. */
  readonly isWhole: boolean
}

/** Byte for byte what was there, where nobody else changed it since; otherwise only the gateway is taken out. Undefined where it is not in it. */
export function undoText(now: string, backup: string | undefined, client: Client): Undone | undefined {
  const { member } = client
  const root = readObject('', now)
  if (typeof root === 'string') return undefined
  const entry = findNodeAtLocation(root, [member, ENTRY])
  if (entry === undefined) return undefined
  const value = getNodeValue(entry) as object
  const makes = (isOnly: boolean, needsKey: boolean): boolean =>
    connectText('', backup ?? '{}\n', client, value, { isOnly, needsKey }) === now
  const isOurs = [true, false].some(isOnly => makes(isOnly, false) || makes(isOnly, true))
  if (isOurs) return { text: backup ?? '', isGone: backup === undefined, isWhole: true }
  return { text: removeMember(now, [member, ENTRY]), isGone: false, isWhole: false }
}
