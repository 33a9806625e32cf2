// One config file, of either shape, to its checked parts: every finding of the file in one run.
import { dirname, extname, resolve } from 'node:path'
import type * as z from 'zod'
import { checkAuth } from './auth.ts'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { expandReferences, type ReferenceSources, type UsedReference } from './interpolate.ts'
import { explainIssues } from './issues.ts'
import { isOlderShape, translateOlder } from './older.ts'
import { olderShape } from './older-shape.ts'
import { compileRest } from './openapi/compile.ts'
import { type Parsed, parseJson, parseYaml } from './parse.ts'
import type { PlacedPlugin, PlacedServer, Section } from './placed.ts'
import { readConfigFile } from './read.ts'
import type { ServerShape } from './server-shape.ts'
import { checkIds, checkKinds } from './servers.ts'
import { type FileShape, fileShape } from './shape.ts'
import { checkKeyText } from './tls-shape.ts'
import { entryOf, find, member, type Path, type Source, spanOf, toValue } from './tree.ts'
import { checkVersions, mergeVersion } from './versions-shape.ts'

export interface ConfigParts {
  readonly shape: FileShape
  readonly servers: readonly PlacedServer[]
  readonly plugins: readonly PlacedPlugin[]
  readonly sections: readonly Section[]
  readonly used: readonly UsedReference[]
  readonly source: Source
  /** OpenAPI documents of servers. */
  readonly documents: readonly Source[]
  readonly baseDir: string
}

/** Opens and parses; `path` is what is opened, `file` what diagnostics show. */
export async function openConfig(path: string, file: string): Promise<Parsed> {
  const read = await readConfigFile(path, file)
  if ('code' in read) return { diagnostics: [read] }
  return /^\.jsonc?$/.test(extname(path)) ? parseJson(read) : parseYaml(read)
}

/** `parts` is absent where anything is wrong. */
export async function checkConfig(
  parsed: Source,
  path: string,
  from: ReferenceSources,
): Promise<{ parts?: ConfigParts; diagnostics: Diagnostic[] }> {
  const baseDir = dirname(path)
  const { source, used, failed, diagnostics: unexpanded } = await expandReferences(parsed, from)
  const diagnostics = [...unexpanded]
  const older = isOlderShape(source)
  const schema: z.ZodType = older ? olderShape : fileShape
  // An empty file is an empty config.
  const empty = source.root.kind === 'scalar' && source.root.value === null
  const checked = schema.safeParse(empty ? {} : toValue(source.root))
  if (!checked.success) diagnostics.push(...explainIssues(source, checked.error.issues, schema, failed))
  const listed = entryPaths(source)
  diagnostics.push(...checkIds(source, idsOf(source, listed)), ...checkKinds(source, older ? [] : listed))
  if (!older) diagnostics.push(...checkVersions(source, listed), ...checkAuth(source, listed, baseDir))
  if (!older) diagnostics.push(...checkPlugins(source), ...checkKeyText(source))
  if (!checked.success || diagnostics.length > 0) return { diagnostics }

  const translated = older ? translateOlder(checked.data as typeof olderShape._output, source, baseDir) : undefined
  const shape: FileShape = translated?.shape ?? (checked.data as FileShape)
  const placed = (shape.servers ?? []).map((server, index) => place(server, source, ['servers', index], baseDir))
  const { servers, documents, diagnostics: ofDocuments } = await compileRest(placed)
  if (ofDocuments.some(({ severity }) => severity === 'error')) return { diagnostics: [...ofDocuments] }
  const plugins = translated?.plugins ?? placePlugins(shape, source, baseDir)
  const sections = translated?.sections ?? policySection(source)
  return {
    parts: { shape: resolvePaths(shape, baseDir), servers, plugins, sections, used, source, documents, baseDir },
    diagnostics: [...(translated?.warnings ?? []), ...ofDocuments],
  }
}

function place(shape: ServerShape, source: Source, path: Path, baseDir: string): PlacedServer {
  const versions = shape.versions?.map((one, index) => ({
    weight: one.weight,
    pins: one.pins,
    placed: { shape: mergeVersion(shape, one), source, path: [...path, 'versions', index], baseDir },
  }))
  return { shape, source, path, baseDir, ...(versions && { versions }) }
}

function entryPaths(source: Source): Path[] {
  const servers = find(source.root, ['servers'])
  return servers?.kind === 'list' ? servers.items.map((_, index) => ['servers', index]) : []
}

function idsOf(source: Source, paths: readonly Path[]): { id: string; path: Path }[] {
  return paths.flatMap(path => {
    const id = find(source.root, [...path, 'id'])
    return id?.kind === 'scalar' && typeof id.value === 'string' ? [{ id: id.value, path: [...path, 'id'] }] : []
  })
}

function checkPlugins(source: Source): Diagnostic[] {
  const list = find(source.root, ['plugins'])
  if (list?.kind !== 'list') return []
  const seen = new Set<string>()
  return list.items.flatMap((item, index) => {
    const span = spanOf(source.root, ['plugins', index])
    const names = item.kind === 'map' ? item.entries.filter(({ key }) => key !== 'failure').map(({ key }) => key) : []
    if (item.kind === 'map' && names.length !== 1) {
      const help = '- audit, or - audit: {durability: os}; what belongs to the plugin is indented below its name'
      return [diagnose(source, span, { code: 'bad-value', message: 'a plugin is a name, or one name with its config', help })]
    }
    const failure = member(item, 'failure')
    if (failure !== undefined && !(failure.kind === 'scalar' && (failure.value === 'open' || failure.value === 'closed'))) {
      return [diagnose(source, failure.span, { code: 'bad-value', message: '"failure" takes open or closed' })]
    }
    const name = item.kind === 'map' ? names[0] : item.kind === 'scalar' ? String(item.value) : undefined
    if (name === undefined || !seen.has(name)) {
      if (name !== undefined) seen.add(name)
      return []
    }
    return [diagnose(source, span, { code: 'duplicate-id', message: `the plugin "${name}" stands twice` })]
  })
}

function placePlugins(shape: FileShape, source: Source, baseDir: string): PlacedPlugin[] {
  return (shape.plugins ?? []).map((entry, index) => {
    const { failure, ...named } = typeof entry === 'string' ? { [entry]: {} } : entry
    const [name = '', config] = Object.entries(named)[0] ?? []
    const path = typeof entry === 'string' ? ['plugins', index] : ['plugins', index, name]
    return {
      name: resolvePlugin(name, baseDir),
      config: config ?? {},
      source,
      path,
      ...(failure === undefined ? {} : { failure: failure === 'open' ? 'open' : 'closed' }),
    }
  })
}

/** A name that is a relative path becomes absolute; names of packages and built-ins stay. */
export function resolvePlugin(name: string, baseDir: string): string {
  return /^\.{1,2}[\\/]/.test(name) ? resolve(baseDir, name) : name
}

// The list of policy files means nothing without the plugin that reads them.
function policySection(source: Source): Section[] {
  const entry = entryOf(source.root, 'policies')
  return entry === undefined ? [] : [{ section: 'policies', plugin: 'policy', source, span: entry.keySpan }]
}

function resolvePaths(shape: FileShape, baseDir: string): FileShape {
  const command = shape.secrets?.command
  const [program = '', ...args] = command ?? []
  const runs = /[\\/]/.test(program) ? resolve(baseDir, program) : program
  return {
    ...shape,
    policies: shape.policies?.map(path => resolve(baseDir, path)),
    store: shape.store && { ...shape.store, dir: shape.store.dir === undefined ? undefined : resolve(baseDir, shape.store.dir) },
    secrets: command === undefined ? undefined : { command: [runs, ...args] },
  }
}
