// Holds the house together: which folder may import which, no cycles, no rooms without a name, files of one idea.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const sourceFolders = ['core', 'plugins', 'dsl'].filter(folder => existsSync(join(root, folder)))

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap(name => {
    const path = `${folder}/${name}`
    if (name === 'node_modules' || name === 'dist') return []
    return statSync(join(root, path)).isDirectory() ? filesUnder(path) : [path]
  })
}

const sources = sourceFolders.flatMap(filesUnder).filter(file => file.endsWith('.ts'))

interface Import {
  readonly from: string
  readonly specifier: string
  readonly typeOnly: boolean
  /** Path of the file in the project, for relative imports. */
  readonly to: string | undefined
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found: Import[] = []
  const pattern = /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm
  for (const match of text.matchAll(pattern)) {
    const specifier = match[2] ?? match[3]!
    const to = specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : undefined
    found.push({ from: file, specifier, typeOnly: match[1] !== undefined, to })
  }
  return found
}

const imports = sources.flatMap(importsOf)
const declared = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }).dependencies,
)
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

describe('imports', () => {
  test('the scan sees the imports of the house', () => {
    expect(sources.length).toBeGreaterThan(30)
    expect(imports.length).toBeGreaterThan(100)
  })

  test('relative imports name existing files', () => {
    const broken = imports.filter(one => one.to !== undefined && !existsSync(join(root, one.to)))
    expect(broken).toEqual([])
  })

  test('core imports neither plugins nor dsl, statically or lazily', () => {
    const wrong = imports.filter(
      one => one.from.startsWith('core/') && (one.to?.match(/^(plugins|dsl|test|examples)\//) || one.specifier.startsWith('mcpgw')),
    )
    expect(wrong).toEqual([])
  })

  test('dsl imports nothing of ours', () => {
    const wrong = imports.filter(
      one => one.from.startsWith('dsl/') && (one.specifier.startsWith('mcpgw') || (one.to !== undefined && !one.to.startsWith('dsl/'))),
    )
    expect(wrong).toEqual([])
  })

  test('a plugin imports only the contract, its own folder and declared packages', () => {
    const wrong = imports.filter(one => {
      const plugin = /^plugins\/[^/]+\//.exec(one.from)?.[0]
      if (plugin === undefined) return false
      if (one.to !== undefined) return !one.to.startsWith(plugin)
      if (one.specifier === 'mcpgw/plugin' || (one.specifier === 'mcpgw/policy' && plugin === 'plugins/policy/')) return false
      return !isBuiltin(one.specifier) && !declared.includes(packageOf(one.specifier))
    })
    expect(wrong).toEqual([])
  })

  test('only declared packages are imported', () => {
    const wrong = imports.filter(
      one =>
        one.to === undefined &&
        !one.specifier.startsWith('mcpgw/') &&
        !isBuiltin(one.specifier) &&
        !declared.includes(packageOf(one.specifier)),
    )
    expect(wrong).toEqual([])
  })

  test('tsyringe and reflect-metadata stay inside the container facade', () => {
    const users = imports.filter(one => ['tsyringe', 'reflect-metadata'].includes(packageOf(one.specifier))).map(one => one.from)
    expect(new Set(users)).toEqual(new Set(['core/container.ts']))
  })

  test('there are no import cycles, types included', () => {
    const graph = new Map(sources.map(file => [file, importsOf(file).flatMap(one => (one.to?.endsWith('.ts') ? [one.to] : []))]))
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })
})

describe('house style', () => {
  const all = [...sources, ...filesUnder('test').filter(file => /\.(ts|mjs)$/.test(file))]

  test('every file says in its first line why it exists', () => {
    const silent = all.filter(file => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n')
      return !/^(\/\/|\/\*\*?) \S/.test(lines[0]!.startsWith('#!') ? lines[1]! : lines[0]!)
    })
    expect(silent).toEqual([])
  })

  test('no file or folder is called by a name that says nothing', () => {
    expect(all.filter(file => /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.|$)/.test(file))).toEqual([])
  })

  test('files are kebab-case', () => {
    expect(all.filter(file => !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(file.split('/').at(-1)!))).toEqual([])
  })

  test('files hold one idea: at most 250 lines, grammar and tables of errors exempt', () => {
    const exempt = new Set(['core/errors.ts', 'dsl/syntax/parser.ts', 'dsl/diagnostics/catalogue.ts'])
    const long = sources
      .filter(file => !exempt.has(file))
      .filter(file => readFileSync(join(root, file), 'utf8').split('\n').length - 1 > 250)
    expect(long).toEqual([])
  })

  test('only a plugin definition has a default export', () => {
    const wrong = sources.filter(
      file => /^export default /m.test(readFileSync(join(root, file), 'utf8')) && !/^plugins\/[^/]+\/index\.ts$/.test(file),
    )
    expect(wrong).toEqual([])
  })

  test('the top level is the fixed one', () => {
    const fixed =
      /^(core|plugins|dsl|examples|test|package(-lock)?\.json|tsconfig\.json|README\.md|PLUGINS\.md|CHANGELOG\.md|LICENSE|node_modules|dist|coverage|.*\.tgz|\..*)$/
    expect(readdirSync(root).filter(name => !fixed.test(name))).toEqual([])
  })
})
