// Servers as clients' files have them, as entries of a config: what has no meaning here is named, and secrets are taken out.
import { basename } from 'node:path'
import { findNodeAtLocation, getNodeValue } from 'jsonc-parser'
import { deriveId } from '../../config/mcp-json.ts'
import { INNER_ID } from '../../operations/inner.ts'
import { readObject } from '../clients/edit.ts'
import { readWhole } from '../clients/replace.ts'
import { clients, ENTRY, filesOf } from '../clients/table.ts'
import type { VerbIo } from '../verb.ts'

/** An entry as it stands in a file. */
export interface FoundServer {
  readonly name: string
  readonly id: string
  readonly from: string
  readonly entry: Readonly<Record<string, unknown>>
}

export interface Found {
  /** Of the client, or of the file. */
  readonly title: string
  readonly file: string
  readonly servers: readonly FoundServer[]
  /** What is left out, and why. */
  readonly left: readonly string[]
  /** Why nothing of it can be taken. */
  readonly problem?: string
}

/** One file, or those of all clients that there are. */
export async function collect(io: Pick<VerbIo, 'env' | 'cwd'>, file: string | undefined): Promise<readonly Found[]> {
  if (file !== undefined) return [(await readClientFile(basename(file), file, io.cwd)) ?? missing(file)]
  // In the home folder, that of the folder and that of the person are one.
  const titles = new Map(clients.flatMap(client => filesOf(client, io).map(path => [path, client.title] as const)))
  const found = await Promise.all([...titles].map(([path, title]) => readClientFile(title, path, io.cwd)))
  return found.filter(one => one !== undefined)
}

function missing(file: string): Found {
  return { title: basename(file), file, servers: [], left: [], problem: `${file}: there is no such file` }
}

async function readClientFile(title: string, file: string, cwd: string): Promise<Found | undefined> {
  let text: string | undefined
  try {
    text = await readWhole(file)
  } catch (error) {
    return { title, file, servers: [], left: [], problem: `${file}: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (text === undefined) return undefined
  const root = readObject(file, text)
  if (typeof root === 'string') return { title, file, servers: [], left: [], problem: root }
  // Claude Code keeps servers for everywhere, and for each folder.
  const places = [['mcpServers'], ['servers'], ['projects', cwd, 'mcpServers']]
  const maps = places.map(path => findNodeAtLocation(root, path)).filter(node => node?.type === 'object')
  const servers: FoundServer[] = []
  const left: string[] = []
  const entries = maps.flatMap(node => Object.entries(getNodeValue(node!) as Record<string, unknown>))
  // Those of a gateway stand below its own entry.
  const nested = entries.flatMap(([, entry]) => (isRecord(entry) && isRecord(entry.servers) ? Object.entries(entry.servers) : []))
  for (const [name, entry] of [...entries, ...nested]) {
    const id = deriveId(name)
    if (!isRecord(entry)) left.push(`${name}: no object`)
    else if (name === ENTRY || isGateway(entry) || isRecord(entry.servers)) left.push(`${name}: the gateway itself`)
    else if (name.toLowerCase() === INNER_ID) left.push(`${name}: that is the id of the gateway's own tools; rename it`)
    else if (id === undefined) left.push(`${name}: no id can be made of its name; rename it`)
    else if (typeof entry.command !== 'string' && typeof entry.url !== 'string') left.push(`${name}: neither a command nor a url`)
    else servers.push({ name, id, from: title, entry })
  }
  return { title, file, servers, left }
}

function isGateway({ env }: Readonly<Record<string, unknown>>): boolean {
  return isRecord(env) && Object.hasOwn(env, 'MCP_GATEWAY_CONFIG')
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
