// Server entries to servers: what excludes what, ids that may not be mistaken for each other, absolute paths, defaults.
import { isAbsolute, resolve } from 'node:path'
import { suggest } from '../plugin/suggest.ts'
import { aboutOf } from './about.ts'
import { buildAuth } from './auth.ts'
import { type Diagnostic, diagnose, position } from './diagnostic.ts'
import { readDuration } from './duration.ts'
import { checkInstances } from './instances-shape.ts'
import type { PlacedServer } from './placed.ts'
import { type ConfiguredServer, defaults, type ProcessLimits, type ReachedServer, type ServerAuth, type ServerTimeouts } from './schema.ts'
import type { ServerShape } from './server-shape.ts'
import { parseSize } from './size.ts'
import { entryOf, find, member, type Path, type Source, spanOf, type Tree } from './tree.ts'
import { entriesOf } from './versions-shape.ts'

export function buildServer(placed: PlacedServer): ConfiguredServer {
  const { shape, source, path, versions } = placed
  const auth = shape.auth === undefined ? undefined : buildAuth(shape.auth, placed.baseDir)
  if (versions === undefined) return buildOne(placed, auth)
  return {
    kind: 'versioned',
    ...identityOf(shape),
    at: { file: source.file, ...position(source.text, spanOf(source.root, path).start) },
    versions: versions.map(({ placed: one, weight = 1, pins = {} }) => ({
      weight,
      pins: { roles: pins.roles ?? [], consumers: pins.consumers ?? [], tenants: pins.tenants ?? [] },
      server: buildOne(one, auth),
    })),
  }
}

function identityOf(shape: ServerShape) {
  const { id, name = id, enabled = true, tenants } = shape
  return { id, name, ...aboutOf(shape), enabled, ...(tenants !== undefined && { tenants }) }
}

function buildOne({ shape, source, path, baseDir, tools }: PlacedServer, auth: ServerAuth | undefined): ReachedServer {
  const common = {
    ...identityOf(shape),
    ...(shape.version !== undefined && { version: shape.version }),
    shared: shape.shared ?? false,
    protocol: shape.protocol ?? 'auto',
    timeout: buildTimeouts(shape.timeout),
    limits: { concurrency: shape.limits?.concurrency ?? defaults.server.concurrency, queue: shape.limits?.queue ?? defaults.server.queue },
    at: { file: source.file, ...position(source.text, spanOf(source.root, path).start) },
    ...(shape.instances !== undefined && { balance: shape.balance ?? defaults.balance }),
  }
  const instances =
    typeof shape.instances === 'object' ? shape.instances.map(one => (typeof one === 'string' ? { url: one } : one)) : undefined
  const url = instances?.[0]?.url ?? shape.url
  if (url !== undefined) {
    const addressed = { ...common, url, headers: shape.headers ?? {}, ...(auth && { auth }), ...(instances && { instances }) }
    return tools === undefined ? { ...addressed, kind: 'remote' } : { ...addressed, kind: 'rest', protocol: 'legacy', tools }
  }
  const command = shape.command ?? ''
  return {
    ...common,
    kind: 'child',
    // A bare name is looked up on PATH; anything with a separator is a path.
    command: /[\\/]/.test(command) && !isAbsolute(command) ? resolve(baseDir, command) : command,
    args: shape.args ?? [],
    env: shape.env ?? {},
    cwd: resolve(baseDir, shape.cwd ?? '.'),
    isolation: shape.isolation ?? 'auto',
    processes: buildProcessLimits(shape.limits),
    ...(typeof shape.instances === 'number' && { instances: shape.instances }),
  }
}

function buildTimeouts(timeout: ServerShape['timeout']): ServerTimeouts {
  const given = typeof timeout === 'object' ? timeout : { call: timeout }
  const { startMs, callMs, maxMs, idleMs } = defaults.timeout
  return {
    startMs: readDuration(given.start, startMs),
    callMs: readDuration(given.call, callMs),
    maxMs: readDuration(given.max, maxMs),
    idleMs: readDuration(given.idle, idleMs),
  }
}

function buildProcessLimits({ processes, memory, files }: NonNullable<ServerShape['limits']> = {}): ProcessLimits {
  return {
    processes: processes ?? defaults.processes.processes,
    memoryBytes: (memory === undefined ? undefined : parseSize(memory)) ?? defaults.processes.memoryBytes,
    files: files ?? defaults.processes.files,
  }
}

const FOR_COMMANDS = ['args', 'env', 'cwd', 'isolation', 'limits.processes', 'limits.memory', 'limits.files']
const FOR_URLS = ['headers', 'auth']
const FOR_REST = ['openapi', 'operations', 'tools']

/** A server is a command or a url; the other keys belong to one of the two. Works on the text, so that it runs beside the schema. */
export function checkKinds(source: Source, entries: readonly Path[]): Diagnostic[] {
  const checked = entries.flatMap(path => entriesOf(find(source.root, path)))
  return checked.flatMap(entry => {
    const span = (...keys: string[]) => entryOf(keys.slice(0, -1).reduce<Tree | undefined>(member, entry), keys.at(-1) ?? '')?.keySpan
    const severalUrls = member(entry, 'instances')?.kind === 'list' ? span('instances') : undefined
    const broken = checkInstances(source, entry)
    if (broken.length > 0) return broken
    const [command, url] = [span('command'), span('url') ?? severalUrls]
    if (command !== undefined && url !== undefined) {
      return [diagnose(source, url, { code: 'conflicting-keys', message: 'a server has a command or a url, not both' })]
    }
    if (command === undefined && url === undefined) {
      // A misspelt one has been named as such.
      if (entry.entries.some(one => suggest(one.key, ['command', 'url']) !== undefined)) return []
      const help = 'command: PROGRAM for a child process, url: https://... for a remote server'
      return [
        diagnose(source, entry.entries[0]?.keySpan ?? entry.span, { code: 'missing-key', message: 'missing "command" or "url"', help }),
      ]
    }
    const protocol = entry.entries.find(one => one.key === 'protocol')
    if (command !== undefined && protocol?.value.kind === 'scalar' && protocol.value.value === 'sse') {
      return [diagnose(source, protocol.keySpan, { code: 'conflicting-keys', message: 'protocol: sse is for a server with a url' })]
    }
    const isRest = span('openapi') !== undefined || span('tools') !== undefined
    const what = command !== undefined ? 'a command' : isRest ? 'a url and openapi or tools' : 'a url'
    const alien =
      command !== undefined ? [...FOR_URLS, ...FOR_REST] : isRest ? [...FOR_COMMANDS, 'protocol'] : [...FOR_COMMANDS, 'operations']
    if (span('openapi') !== undefined) alien.push('tools')
    else if (isRest) alien.push('operations')
    return alien.flatMap(key => {
      const at = span(...key.split('.'))
      const message = `"${key}" has no meaning for a server with ${what}`
      return at === undefined ? [] : [diagnose(source, at, { code: 'conflicting-keys', message })]
    })
  })
}

/** Invariant: no two ids are equal, nor equal but for case, so that nobody can mistake one server for another. */
export function checkIds(source: Source, ids: readonly { readonly id: string; readonly path: Path }[]): Diagnostic[] {
  const seen = new Map<string, { id: string; path: Path }>()
  return ids.flatMap(({ id, path }) => {
    const folded = id.normalize('NFKC').toLowerCase()
    const first = seen.get(folded)
    if (first === undefined) seen.set(folded, { id, path })
    if (first === undefined) return []
    const { line } = position(source.text, spanOf(source.root, first.path).start)
    const finding =
      first.id === id
        ? ({ code: 'duplicate-id', message: `the server id "${id}" is taken since line ${line}` } as const)
        : ({ code: 'look-alike-id', message: `the server id "${id}" reads like "${first.id}" in line ${line}` } as const)
    return [diagnose(source, spanOf(source.root, path), finding)]
  })
}
