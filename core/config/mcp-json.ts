// Servers out of any client's `mcpServers` JSON, also where they stand nested under a gateway's entry.
import * as z from 'zod'
import { suggest } from '../plugin/suggest.ts'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { url } from './fields.ts'
import { headers } from './headers-shape.ts'
import { type Expanded, expandReferences, type ReferenceSources } from './interpolate.ts'
import { explainIssues } from './issues.ts'
import type { PlacedServer, Section } from './placed.ts'
import { idPattern } from './schema.ts'
import { env, type ServerShape } from './server-shape.ts'
import { checkIds, checkKinds } from './servers.ts'
import { entryOf, member, type Source, type Tree, type TreeEntry, toValue } from './tree.ts'

export interface McpServers {
  readonly servers: readonly PlacedServer[]
  readonly sections: readonly Section[]
  readonly used: Expanded['used']
  readonly source: Source
  readonly diagnostics: readonly Diagnostic[]
}

interface EntryShape extends Omit<ServerShape, 'id' | 'name' | 'enabled' | 'timeout' | 'shared' | 'protocol'> {
  readonly type?: string | undefined
  readonly disabled?: boolean | undefined
  readonly enabled?: boolean | undefined
}

const text = z.string().refine(value => !value.includes('\u0000'), 'a NUL character cannot stand here')
const entryShape: z.ZodType<EntryShape> = z.strictObject({
  type: z.enum(['stdio', 'http', 'streamable-http', 'streamableHttp', 'sse']).optional(),
  command: text.min(1).optional(),
  args: z.array(text).optional(),
  env: env.optional(),
  cwd: text.min(1).optional(),
  url: url.optional(),
  headers: headers.optional(),
  disabled: z.boolean().optional(),
  enabled: z.boolean().optional(),
})
const known = ['type', 'command', 'args', 'env', 'cwd', 'url', 'headers', 'disabled', 'enabled']
// What these keep from a client would be open again behind the gateway.
const restricting = /^(disabled|excluded?|included?|enabled|allowed|denied)_?tools$|^tools$/i

/** `parsed` is the whole file; only the entries of servers are looked at. */
export async function readMcpServers(parsed: Source, from: ReferenceSources, baseDir: string): Promise<McpServers> {
  const diagnostics: Diagnostic[] = []
  const entries = pickEntries(parsed, diagnostics)
  const pruned: Source = { ...parsed, root: { kind: 'map', span: parsed.root.span, entries } }
  const { source, used, failed, diagnostics: unexpanded } = await expandReferences(pruned, from)
  diagnostics.push(...unexpanded)
  const sections: Section[] = []
  const servers: PlacedServer[] = []
  for (const { key: name, keySpan, value } of source.root.kind === 'map' ? source.root.entries : []) {
    const id = deriveId(name)
    if (id === undefined)
      diagnostics.push(diagnose(source, keySpan, { code: 'bad-id', message: `no server id can be made of "${name}"`, help: 'rename it' }))
    else if (id !== name) {
      diagnostics.push(
        diagnose(source, keySpan, { code: 'changed-id', severity: 'warning', message: `the server "${name}" gets the id "${id}"` }),
      )
    }
    const entry = keepKnown(source, value, name, diagnostics, sections)
    const checked = entryShape.safeParse(toValue(entry))
    const inner: Source = { ...source, root: { kind: 'map', span: keySpan, entries: [{ key: name, keySpan, value: entry }] } }
    if (!checked.success) {
      const issues = checked.error.issues.map(issue => ({ ...issue, path: [name, ...issue.path] }))
      diagnostics.push(...explainIssues(inner, issues, z.record(z.string(), entryShape), failed))
    } else if (id !== undefined) {
      const { type, disabled, enabled, ...shape } = checked.data
      const protocol = type === 'sse' ? { protocol: 'sse' as const } : {}
      servers.push({
        shape: { ...shape, ...protocol, id, name, enabled: disabled !== true && enabled !== false },
        source,
        path: [name],
        baseDir,
      })
    }
  }
  diagnostics.push(
    ...checkKinds(
      source,
      entries.map(({ key }) => [key]),
    ),
    ...checkIds(
      source,
      servers.map(({ shape, path }) => ({ id: shape.id, path })),
    ),
  )
  return { servers, sections, used, source, diagnostics }
}

function pickEntries(source: Source, diagnostics: Diagnostic[]): TreeEntry[] {
  const top = member(source.root, 'mcpServers') ?? member(source.root, 'servers')
  if (top?.kind !== 'map') {
    const message = top === undefined ? 'no "mcpServers" in this file' : '"mcpServers" takes a map of servers'
    diagnostics.push(diagnose(source, top?.span, { code: top === undefined ? 'missing-key' : 'wrong-type', message }))
    return []
  }
  const nested = top.entries.flatMap(entry => {
    const servers = member(entry.value, 'servers')
    return servers?.kind === 'map' ? [{ gateway: entry, servers: servers.entries }] : []
  })
  const skip = (entry: TreeEntry, message: string): void => {
    diagnostics.push(diagnose(source, entry.keySpan, { code: 'ignored-key', severity: 'warning', message }))
  }
  if (nested.length > 0) {
    for (const entry of top.entries) {
      if (!nested.some(one => one.gateway === entry)) skip(entry, `"${entry.key}" stands beside a gateway's own servers and is left out`)
    }
    return nested.flatMap(one => one.servers)
  }
  return top.entries.filter(entry => {
    const isGateway = entryOf(member(entry.value, 'env'), 'MCP_GATEWAY_CONFIG') !== undefined
    if (isGateway) skip(entry, `"${entry.key}" is the gateway itself and is left out`)
    return !isGateway
  })
}

// Clients keep keys of their own in these files: only a likely slip of the pen is an error.
function keepKnown(source: Source, value: Tree, server: string, diagnostics: Diagnostic[], sections: Section[]): Tree {
  if (value.kind !== 'map') return value
  const entries = value.entries.filter(({ key, keySpan }) => {
    if (known.includes(key)) return true
    const near = suggest(key, known)
    if (restricting.test(key)) sections.push({ section: `${server}.${key}`, plugin: undefined, source, span: keySpan })
    else if (near !== undefined) {
      diagnostics.push(diagnose(source, keySpan, { code: 'unknown-key', message: `unknown key "${key}"`, help: `did you mean "${near}"?` }))
    } else {
      diagnostics.push(diagnose(source, keySpan, { code: 'ignored-key', severity: 'warning', message: `"${key}" has no meaning here` }))
    }
    return false
  })
  return { ...value, entries }
}

export function deriveId(name: string): string | undefined {
  if (idPattern.test(name)) return name
  const slug = name
    .normalize('NFKC')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/_{2,}/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 32)
    .replace(/[-_]+$/, '')
  return idPattern.test(slug) ? slug : undefined
}
