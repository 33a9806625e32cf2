// Where a plugin lies: among the built-in ones, at a path, or in a folder of installed packages. Looks at files only, imports nothing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suggest } from '../plugin/suggest.ts'

export type Location =
  | { readonly kind: 'built-in'; readonly specifier: string }
  | { readonly kind: 'path'; readonly file: string }
  | { readonly kind: 'package'; readonly file: string }
  | { readonly kind: 'nowhere'; readonly looked: readonly string[]; readonly near: string | undefined }

// Beside core in the sources, beside dist/core in the package.
const BUILT_IN = fileURLToPath(new URL('../../plugins/', import.meta.url))
const ENTRIES = ['index.js', 'index.ts']
const NAME = /^[a-z][a-z0-9-]*$/
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/

export function locate(name: string, dirs: readonly string[]): Location {
  if (name.startsWith('./') || name.startsWith('../') || isAbsolute(name)) return locatePath(name, dirs)
  const known = listBuiltIn()
  if (NAME.test(name) && known.includes(name)) return { kind: 'built-in', specifier: `mcpgw/plugins/${name}` }
  const packages = PACKAGE.test(name) ? [...(name.startsWith('@') ? [] : [`mcpgw-plugin-${name}`]), name] : []
  for (const wanted of packages) {
    for (const dir of dirs) {
      const file = findPackage(wanted, resolve(dir))
      if (file !== undefined) return { kind: 'package', file }
    }
  }
  const looked = [
    `built-in ${known.join(', ')}`,
    ...packages.map(wanted => `package ${wanted}`),
    ...new Set(dirs.map(dir => `from ${resolve(dir)}`)),
  ]
  return { kind: 'nowhere', looked, near: suggest(name, known) }
}

/** Names of the plugins that come with the gateway. */
export function listBuiltIn(): readonly string[] {
  if (!existsSync(BUILT_IN)) return []
  return readdirSync(BUILT_IN).filter(name => entryOf(join(BUILT_IN, name)) !== undefined)
}

function locatePath(path: string, dirs: readonly string[]): Location {
  const candidates = [...new Set(dirs.map(dir => resolve(dir, path)))]
  for (const candidate of candidates) {
    const file = isFile(candidate) ? candidate : (packageEntry(candidate) ?? entryOf(candidate))
    if (file !== undefined) return { kind: 'path', file }
  }
  return { kind: 'nowhere', looked: candidates, near: undefined }
}

/** Walks up from `dir`, as Node does. */
function findPackage(name: string, dir: string): string | undefined {
  for (let at = dir; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return packageEntry(folder) ?? entryOf(folder)
    if (dirname(at) === at) return undefined
  }
}

/** The file that `import` of this package would load. */
function packageEntry(folder: string): string | undefined {
  try {
    const { exports, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports?: unknown; main?: unknown }
    const target = exports === undefined ? main : pickExport(isMap(exports) && '.' in exports ? exports['.'] : exports)
    const file = typeof target === 'string' ? join(folder, target) : undefined
    return file !== undefined && isFile(file) ? file : undefined
  } catch {
    return undefined
  }
}

const CONDITIONS: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'default'])

function pickExport(target: unknown): unknown {
  if (Array.isArray(target)) return target.map(pickExport).find(found => found !== undefined)
  if (!isMap(target)) return target
  for (const [condition, inner] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? pickExport(inner) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function entryOf(folder: string): string | undefined {
  return ENTRIES.map(entry => join(folder, entry)).find(isFile)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
