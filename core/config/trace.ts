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

/** Where in a text the config of a plugin, or the nearest part of it at `path`, stands: file, line, column and excerpt of a diagnostic. */
export function placePluginConfig(
  index: number,
  path: readonly (string | number)[],
  origins: ReadonlyMap<string, Origin>,
): Omit<Diagnostic, 'code' | 'severity' | 'message'> | undefined {
  for (let length = path.length; length >= 0; length--) {
    const traced = trace(['plugins', String(index), 'config', ...path.slice(0, length).map(String)], origins)
    if (traced.kind !== 'text') continue
    const {
      code: _code,
      severity: _severity,
      message: _message,
      ...place
    } = diagnose(traced.source, traced.tree.span, {
      code: 'bad-value',
      message: '',
    })
    return place
  }
  return undefined
}

// Some values are shorter in the file: `listen: host:port`, `timeout: 5m`, `call` for `callMs`.
function follow(start: Tree | undefined, steps: readonly string[], renamed: Readonly<Record<string, string>> = {}): Tree | undefined {
  let tree = start
  for (const step of steps) {
    if (tree?.kind === 'scalar') return ['host', 'port', 'callMs', 'name'].includes(step) ? tree : undefined
    tree = tree?.kind === 'list' ? tree.items[Number(step)] : (member(tree, renamed[step] ?? step) ?? member(tree, step.replace(/Ms$/, '')))
  }
  return tree
}
