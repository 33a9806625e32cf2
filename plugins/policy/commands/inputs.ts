// What the policy verbs work on: policy files of the command line, of the config or of this folder, and the catalog lock beside them.
import { readFile, stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import type { StandaloneIo } from 'mcpgw/plugin'
import { type Diagnostic, type Lock, readLock, type Source } from 'mcpgw/policy'
import { lockPath } from '../catalog/lock-file.ts'
import type { PolicyConfig } from '../config.ts'
import { olderSources } from '../older.ts'
import { readSources } from '../sources.ts'

export type Io = StandaloneIo<PolicyConfig>

export interface PolicyTexts {
  readonly sources: readonly Source[]
  /** Where a lock may be, the likeliest first. */
  readonly lockPlaces: readonly string[]
}
export interface Inputs {
  readonly sources: readonly Source[]
  readonly lock?: Lock
  /** What is wrong with the lock, and its text. */
  readonly lockFindings: readonly Diagnostic[]
  readonly lockSource?: Source
}

export const STDIN = '<stdin>'
const LOCK = 'mcpgw.lock.json'

/** Undefined where something cannot be read; then stderr says what. */
export async function readInputs(io: Io): Promise<Inputs | undefined> {
  const texts = await readPolicies(io)
  if (texts === undefined) return undefined
  const given = textOption(io, 'lock')
  const text = given === undefined ? await firstOf(texts.lockPlaces) : await readText(io, given)
  if (text === undefined) return given === undefined ? { sources: texts.sources, lockFindings: [] } : undefined
  const lockSource = { file: shown(io, text.path), text: text.text }
  const { lock, diagnostics } = readLock(lockSource.text, lockSource.file)
  return { sources: texts.sources, lockSource, lockFindings: diagnostics, ...(lock !== undefined && { lock }) }
}

export async function readPolicies(io: Io): Promise<PolicyTexts | undefined> {
  const given = (io.args[0] ?? []) as readonly string[]
  if (given.length > 0) return readGiven(io, given)
  const config = await io.loadConfig()
  if (config === undefined) return undefined
  const older = olderSources(config)
  for (const problem of older.problems) fail(io, problem)
  if (older.problems.length > 0) return undefined
  const files = config.files.map(path => resolve(io.cwd, config.dir, path))
  if (files.length === 0 && older.sources.length === 0) return readGiven(io, ['.'])
  const found = files.length === 0 ? { sources: [] } : await readGiven(io, files)
  return found && { sources: [...found.sources, ...older.sources], lockPlaces: [lockPath(undefined, config, io.cwd)] }
}

async function readGiven(io: Io, paths: readonly string[]): Promise<PolicyTexts | undefined> {
  const sources: Source[] = []
  const lockPlaces: string[] = []
  let failed = false
  for (const path of new Set(paths)) {
    if (path === '-') {
      const text = await readText(io, path)
      if (text === undefined) return undefined
      sources.push({ file: STDIN, text: text.text })
      continue
    }
    const found = await readSources([path], io.cwd)
    for (const problem of found.problems) fail(io, problem)
    const isFolder = await isDirectory(resolve(io.cwd, path))
    if (found.sources.length === 0 && found.problems.length === 0) fail(io, `${path}: there are no .policy files in this folder`)
    failed ||= found.sources.length === 0 || found.problems.length > 0
    sources.push(...found.sources)
    lockPlaces.push(resolve(isFolder ? resolve(io.cwd, path) : dirname(resolve(io.cwd, path)), LOCK))
  }
  if (failed) return undefined
  const unique = new Map(sources.map(source => [source.file, source]))
  return { sources: [...unique.values()], lockPlaces: [...lockPlaces, resolve(io.cwd, LOCK)] }
}

async function firstOf(paths: readonly string[]): Promise<{ path: string; text: string } | undefined> {
  for (const path of new Set(paths)) {
    try {
      return { path, text: await readFile(path, 'utf8') }
    } catch (error) {
      if (reasonOf(error) !== missing) throw error
    }
  }
  return undefined
}

/** `-` is stdin. Undefined where it cannot be read or is no UTF-8; then stderr says so. */
export async function readText(io: Io, path: string): Promise<{ path: string; text: string } | undefined> {
  try {
    const bytes = path === '-' ? await readStdin() : await readFile(resolve(io.cwd, path))
    return {
      path: path === '-' ? STDIN : resolve(io.cwd, path),
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    }
  } catch (error) {
    fail(io, `${path}: ${error instanceof TypeError ? 'not UTF-8' : reasonOf(error)}`)
    return undefined
  }
}

async function readStdin(): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

const missing = 'there is no such file'

export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return missing
  if (code === 'EISDIR') return 'this is a folder'
  if (code === 'EACCES') return 'no permission'
  return error instanceof Error ? error.message : String(error)
}

export function fail(io: Pick<Io, 'err'>, message: string): 2 {
  io.err(`error[usage]: ${message}`)
  return 2
}

export function shown(io: Pick<Io, 'cwd'>, path: string): string {
  const name = relative(io.cwd, path)
  return path === STDIN || name.startsWith('..') ? path : name
}

export function textOption(io: Pick<Io, 'options'>, name: string): string | undefined {
  const value = io.options[name]
  return typeof value === 'string' ? value : undefined
}

/** One of `words`; a usage error is told, and undefined. */
export function choice<T extends string>(io: Pick<Io, 'options' | 'err'>, name: string, words: readonly T[], otherwise: T): T | undefined {
  const value = io.options[name] ?? otherwise
  const found = words.find(word => word === value)
  const flag = name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  if (found === undefined) fail(io, `--${flag}: expected ${words.join(', ')}, found ${String(value)}`)
  return found
}
