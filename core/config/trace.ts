// From a value of the config back to what set it: a flag, a variable, a place of a text, or nothing but the default.
import type { Origin } from './assemble.ts'
import { type Diagnostic, diagnose, position } from './diagnostic.ts'
import { find, member, type Source, type Tree } from './tree.ts'

export type Traced =
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'text'; readonly source: Source; readonly tree: Tree }
  | { readonly kind: 'default' }

/** `path` as in `GatewayConfig`: `['servers', '0', 'command']`. */
export function trace(path: readonly string[], origins: ReadonlyMap<string, Origin>): Traced {
  for (let length = path.length; length > 0; length--) {
    const found = origins.get(path.slice(0, length).join('.'))
    if (found === undefined) continue
    if (found.kind !== 'text') return { kind: 'named', name: found.name }
    const tree = follow(find(found.source.root, found.path), path.slice(length), found.renamed)
    return tree === undefined ? { kind: 'default' } : { kind: 'text', source: found.source, tree }
  }
  return { kind: 'default' }
}

export function describeOrigin(traced: Traced): string {
  if (traced.kind === 'named') return traced.name
  if (traced.kind === 'default') return 'default'
  const { line, column } = position(traced.source.text, traced.tree.span.start)
  return `${traced.source.file}:${line}:${column}`
}

type PlaceOfDiagnostic = Omit<Diagnostic, 'code' | 'severity' | 'message'>

/** Where the value at `path` was set: a place of a text with its excerpt, or the flag or variable by its name. */
export function placeValue(path: readonly string[], origins: ReadonlyMap<string, Origin>): PlaceOfDiagnostic | undefined {
  const traced = trace(path, origins)
  if (traced.kind === 'named') return { file: traced.name }
  return traced.kind === 'text' ? placeTree(traced.source, traced.tree) : undefined
}

/** Where in a text the config of a plugin, or the nearest part of it at `path`, stands. */
export function placePluginConfig(
  index: number,
  path: readonly (string | number)[],
  origins: ReadonlyMap<string, Origin>,
): PlaceOfDiagnostic | undefined {
  for (let length = path.length; length >= 0; length--) {
    const traced = trace(['plugins', String(index), 'config', ...path.slice(0, length).map(String)], origins)
    if (traced.kind === 'text') return placeTree(traced.source, traced.tree)
  }
  return undefined
}

function placeTree(source: Source, tree: Tree): PlaceOfDiagnostic {
  const { code: _code, severity: _severity, message: _message, ...place } = diagnose(source, tree.span, { code: 'bad-value', message: '' })
  return place
}

// Some values are shorter in the file: `listen: host:port`, `timeout: 5m`, `call` for `callMs`.
function follow(start: Tree | undefined, steps: readonly string[], renamed: Readonly<Record<string, string>> = {}): Tree | undefined {
  let tree = start
  for (const step of steps) {
    if (tree?.kind === 'scalar') return ['host', 'port', 'callMs', 'name'].includes(step) ? tree : undefined
    // A version of a server stands in the file as what differs.
    if (step === 'server' && member(tree, 'version') !== undefined) continue
    tree = tree?.kind === 'list' ? tree.items[Number(step)] : (member(tree, renamed[step] ?? step) ?? member(tree, step.replace(/Ms$/, '')))
  }
  return tree
}
