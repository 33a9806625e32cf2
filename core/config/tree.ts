// A parsed config text as a tree with the place of every key and value: what YAML and JSON become before they are checked.
import type { Span, Text } from './diagnostic.ts'

export type ScalarValue = string | number | boolean | null
export type Tree = TreeMap | TreeList | TreeScalar
export interface TreeMap {
  readonly kind: 'map'
  readonly span: Span
  readonly entries: readonly TreeEntry[]
}
export interface TreeList {
  readonly kind: 'list'
  readonly span: Span
  readonly items: readonly Tree[]
}
export interface TreeScalar {
  readonly kind: 'scalar'
  readonly span: Span
  readonly value: ScalarValue
  /** As it stood before references were expanded. */
  readonly written?: string
}
export interface TreeEntry {
  readonly key: string
  readonly keySpan: Span
  readonly value: Tree
}

export interface Source extends Text {
  readonly root: Tree
}
export type Path = readonly (string | number)[]

export const limits: {
  readonly bytes: number
  readonly depth: number
  readonly aliases: number
  readonly nodes: number
  readonly diagnostics: number
} = { bytes: 1024 * 1024, depth: 64, aliases: 100, nodes: 100_000, diagnostics: 100 }

/** Invariant: the parsers refuse these, so that `toValue` may build ordinary objects. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype' || key === '<<'
}

export function toValue(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toValue)
  return Object.fromEntries(tree.entries.map(entry => [entry.key, toValue(entry.value)]))
}

export function member(tree: Tree | undefined, key: string): Tree | undefined {
  return entryOf(tree, key)?.value
}

export function entryOf(tree: Tree | undefined, key: string): TreeEntry | undefined {
  return tree?.kind === 'map' ? tree.entries.find(entry => entry.key === key) : undefined
}

export function find(root: Tree, path: Path): Tree | undefined {
  let tree: Tree | undefined = root
  for (const step of path) {
    if (tree?.kind === 'list' && typeof step === 'number') tree = tree.items[step]
    else tree = member(tree, String(step))
  }
  return tree
}

/** The place of a value; of the nearest enclosing one where the path does not exist. */
export function spanOf(root: Tree, path: Path): Span {
  for (let length = path.length; length > 0; length--) {
    const found = find(root, path.slice(0, length))
    if (found !== undefined) return length === path.length ? found.span : headOf(root, path.slice(0, length), found)
  }
  return root.kind === 'map' ? (root.entries[0]?.keySpan ?? root.span) : root.span
}

/** The place of a key in the map at `path`. */
export function keySpanOf(root: Tree, path: Path, key: string): Span {
  return entryOf(find(root, path), key)?.keySpan ?? spanOf(root, path)
}

// For something missing in an enclosing map, its key or first key is a better place than its whole extent.
function headOf(root: Tree, path: Path, found: Tree): Span {
  const last = path.at(-1)
  const key = typeof last === 'string' ? entryOf(find(root, path.slice(0, -1)), last)?.keySpan : undefined
  return key ?? (found.kind === 'map' ? (found.entries[0]?.keySpan ?? found.span) : found.span)
}
