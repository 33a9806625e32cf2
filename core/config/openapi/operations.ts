// The operations of an OpenAPI document that are chosen, each under the name of its tool.
import { createHash } from 'node:crypto'
import { compileGlob } from '../../plugin/glob.ts'
import type { OperationsShape } from '../rest-shape.ts'
import { member, type Tree } from '../tree.ts'
import { type OpenApiDocument, textOf } from './document.ts'

export interface FoundOperation {
  readonly name: string
  /** Upper case. */
  readonly method: string
  /** As the document has it. */
  readonly path: string
  readonly at: Tree
  /** Of its path; those of the operation itself stand in their place. */
  readonly shared: Tree | undefined
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const
/** Room for `server__` in front, in what model providers take. */
const MAX_NAME = 48

export function findOperations(document: OpenApiDocument): FoundOperation[] {
  const paths = member(document.source.root, 'paths')
  if (paths?.kind !== 'map') {
    document.report(paths, 'openapi-invalid', 'the document has no "paths"')
    return []
  }
  return paths.entries
    .filter(({ key }) => key.startsWith('/'))
    .flatMap(({ key: path, value }) => {
      const item = document.resolve(value)
      return METHODS.flatMap(method => {
        const at = member(item, method)
        if (at?.kind !== 'map') return []
        const name = nameOf(textOf(at, 'operationId') ?? `${method}_${path}`)
        return [{ name, method: method.toUpperCase(), path, at, shared: member(item, 'parameters') }]
      })
    })
}

/** Letters, digits, - and _; a name that is too long keeps its beginning and gets a hash, always the same. */
function nameOf(written: string): string {
  const plain = written
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^_+|_+$/g, '')
  if (plain !== '' && plain.length <= MAX_NAME) return plain
  const hash = createHash('sha256').update(written).digest('hex').slice(0, 8)
  return `${plain.slice(0, MAX_NAME - 9)}_${hash}`
}

/** A pattern that chooses nothing is a mistake, and is given back. */
export function choose(
  operations: readonly FoundOperation[],
  { include, exclude }: OperationsShape,
): { chosen: readonly FoundOperation[]; idle: readonly (readonly ['include' | 'exclude', number])[] } {
  const idle: (readonly ['include' | 'exclude', number])[] = []
  const matching = (key: 'include' | 'exclude', patterns: readonly string[]): ReadonlySet<FoundOperation> => {
    const found = new Set<FoundOperation>()
    for (const [index, pattern] of patterns.entries()) {
      const fits = compileGlob(pattern)
      const matched = operations.filter(({ name, method, path }) => fits(pattern.includes(' ') ? `${method} ${path}` : name))
      if (matched.length === 0) idle.push([key, index])
      for (const one of matched) found.add(one)
    }
    return found
  }
  const wanted = include === undefined ? new Set(operations) : matching('include', include)
  const unwanted = matching('exclude', exclude ?? [])
  return { chosen: operations.filter(one => wanted.has(one) && !unwanted.has(one)), idle }
}

/** Invariant: no two tools of a server have one name. */
export function reportTwins(document: OpenApiDocument, operations: readonly FoundOperation[]): void {
  const seen = new Map<string, FoundOperation>()
  for (const one of operations) {
    const first = seen.get(one.name)
    if (first === undefined) seen.set(one.name, one)
    else
      document.report(
        one.at,
        'openapi-invalid',
        `${one.method} ${one.path} and ${first.method} ${first.path} would both be the tool "${one.name}"`,
      )
  }
}
