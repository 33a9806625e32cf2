// The list of ways to learn something is whole: a new command, route or method fails here until it is said what it shows, and to whom.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { builtInVerbs } from '../../core/commands/plugin-verbs.ts'
import { coreVerbs } from '../../core/commands/table.ts'
import type { Verb } from '../../core/commands/verb.ts'
import { COMMANDS, DOCUMENTS, METHODS, OPERATIONS, ROUTES, TOLD } from './tenants-paths.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder)).flatMap(name => {
    const path = `${folder}/${name}`
    return statSync(join(root, path)).isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : []
  })
/** What stands in quotes in these folders and has this form. */
const quotedIn = (folders: readonly string[], form: RegExp): string[] => {
  const text = folders
    .flatMap(filesUnder)
    .map(file => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  return [...new Set([...text.matchAll(form)].map(([, word]) => word!))].sort()
}
const sorted = (words: Iterable<string>): string[] => [...words].sort()

describe('every way to learn something is in the list', () => {
  /** Media types, and members of messages. */
  const OTHER = /^(application|text|image|audio|multipart|ref|ui|mcpgw)\//

  test('all methods that the gateway knows by name', () => {
    const words = quotedIn(['core/relay', 'core/downstream', 'core/mcp', 'core/upstream'], /'([a-z]+(?:\/[a-z_]+)*\/[a-zA-Z_]+)'/g)
    const methods = words.filter(word => !OTHER.test(word))
    expect(methods.length).toBeGreaterThan(25)
    expect(methods.filter(word => !Object.hasOwn(METHODS, word) && !TOLD.includes(word))).toEqual([])
    const known = [...Object.keys(METHODS), ...TOLD].filter(word => word.includes('/'))
    expect(known.filter(word => !methods.includes(word) && !word.startsWith('notifications/'))).toEqual([])
  })

  test('all routes of the listener, and all documents that plugins publish', () => {
    expect(quotedIn(['core'], /'(\/[a-z.][a-z./-]*)'/g).filter(path => !isFile(path))).toEqual(sorted(Object.keys(ROUTES)))
    expect(quotedIn(['plugins'], /publish\('([^']+)'/g)).toEqual(sorted(DOCUMENTS))
  })

  test('all routes of operations', () => {
    const routes = quotedIn(['core', 'plugins'], /'((?:GET|POST|PUT|PATCH|DELETE) \/[a-z/{}_]+)'/g)
    expect(routes).toEqual(sorted(Object.values(OPERATIONS).flatMap(({ route }) => route ?? [])))
  })

  test('all commands, and whether they can be held to one tenant', async () => {
    const verbs: Verb[] = [...coreVerbs, ...(await builtInVerbs(undefined, { err() {} }))]
    expect(sorted(verbs.map(({ path }) => path.join(' ')))).toEqual(sorted(Object.keys(COMMANDS)))
    for (const { path, options = [] } of verbs) {
      const kind = COMMANDS[path.join(' ')]
      const isHeld = options.some(({ flags }) => flags.startsWith('--tenant '))
      expect([path.join(' '), isHeld]).toEqual([path.join(' '), kind === 'tenant' || kind === 'change'])
    }
  })
})

/** Paths of this machine, and ends of words. */
function isFile(path: string): boolean {
  return /^\/(proc|dev|etc|bin|usr|tmp|sys|run|list)\b/.test(path)
}
