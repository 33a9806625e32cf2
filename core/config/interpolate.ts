// Expands ${NAME}, ${env:NAME} and ${secret:name} in a config tree, once: what comes in is never looked at again.
import { namePattern, type SecretFault } from '../secrets/value.ts'
import { type Diagnostic, type DiagnosticCode, diagnose, type Span } from './diagnostic.ts'
import type { Path, Source, Tree, TreeScalar } from './tree.ts'

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>
  getSecret(name: string): Promise<string | SecretFault | undefined>
  /** Whether a secret may stand at this place. */
  allowsSecret(path: Path): boolean
}

/** One reference that was expanded, and where. */
export interface UsedReference {
  readonly path: Path
  readonly kind: 'env' | 'secret'
  readonly name: string
  readonly value: string
}

export interface Expanded {
  readonly source: Source
  readonly used: readonly UsedReference[]
  /** Places that could not be expanded: what is wrong with them has been said. */
  readonly failed: readonly Path[]
  readonly diagnostics: readonly Diagnostic[]
}

export type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'env' | 'secret'; readonly name: string; readonly text: string }
  | { readonly kind: 'broken'; readonly text: string; readonly why: string }

const variable = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)$/

/** `$${` is a literal `${`; a `$` alone is a `$`. */
export function splitReferences(text: string): Piece[] {
  const pieces: Piece[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      literal += '${'
      at += 3
    } else if (!text.startsWith('${', at)) {
      literal += text[at]
      at += 1
    } else {
      if (literal !== '') pieces.push({ kind: 'literal', text: literal })
      literal = ''
      const close = text.indexOf('}', at)
      const whole = text.slice(at, close === -1 ? text.length : close + 1)
      pieces.push(readReference(whole, close !== -1))
      at += whole.length
    }
  }
  if (literal !== '') pieces.push({ kind: 'literal', text: literal })
  return pieces
}

function readReference(text: string, closed: boolean): Piece {
  const body = text.slice(2, closed ? -1 : undefined)
  if (body.includes('${')) return { kind: 'broken', text, why: 'references do not nest' }
  if (!closed) return { kind: 'broken', text, why: 'the closing } is missing' }
  if (body.startsWith('secret:')) {
    const name = body.slice('secret:'.length)
    return namePattern.test(name) ? { kind: 'secret', name, text } : { kind: 'broken', text, why: 'not the name of a secret' }
  }
  const name = variable.exec(body)?.[1]
  if (name !== undefined) return { kind: 'env', name, text }
  return { kind: 'broken', text, why: 'the name of a variable is letters, digits and _, and does not begin with a digit' }
}

/** Of a text alone, without secrets: `variables` are those that it was filled in from. */
export function expandText(
  text: string,
  env: ReferenceSources['env'],
): { readonly text: string; readonly variables: readonly string[] } | { readonly problem: string } {
  const variables: string[] = []
  let filled = ''
  for (const piece of splitReferences(text)) {
    if (piece.kind === 'broken') return { problem: problems.broken(piece.why) }
    if (piece.kind === 'secret') return { problem: problems.secret }
    if (piece.kind === 'env') variables.push(piece.name)
    const part = piece.kind === 'env' ? readVariable(env, piece.name) : piece.text
    if (part === undefined) return { problem: problems.unset(variables.at(-1)!) }
    filled += part
  }
  return { text: filled, variables }
}

const problems = {
  broken: (why: string): string => `bad reference: ${why}`,
  unset: (name: string): string => `the variable ${name} is not set`,
  secret: 'a secret may not stand here',
}

function readVariable(env: ReferenceSources['env'], name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

export async function expandReferences(source: Source, from: ReferenceSources): Promise<Expanded> {
  const used: UsedReference[] = []
  const failed: Path[] = []
  const diagnostics: Diagnostic[] = []

  const expand = async (piece: Piece, path: Path, span: Span): Promise<string | undefined> => {
    const report = (code: DiagnosticCode, message: string, help?: string): undefined => {
      diagnostics.push(diagnose(source, within(source.text, span, piece.text), { code, message, help }))
    }
    if (piece.kind === 'literal') return piece.text
    if (piece.kind === 'broken') return report('bad-reference', problems.broken(piece.why))
    if (piece.kind === 'env') {
      const value = readVariable(from.env, piece.name)
      if (value === undefined) return report('unset-variable', problems.unset(piece.name), `export ${piece.name}=...`)
      used.push({ path, kind: 'env', name: piece.name, value })
      return value
    }
    if (!from.allowsSecret(path)) {
      return report('secret-refused', problems.secret, 'put it into env or headers: arguments and URLs are visible to others')
    }
    const found = await from.getSecret(piece.name)
    if (typeof found === 'object') return report('unknown-secret', found.problem, found.help)
    if (found === undefined) return report('unknown-secret', `there is no secret ${piece.name}`)
    used.push({ path, kind: 'secret', name: piece.name, value: found })
    return found
  }

  const walk = async (tree: Tree, path: Path): Promise<Tree> => {
    if (tree.kind === 'scalar') return scalar(tree, path)
    if (tree.kind === 'list') {
      const items: Tree[] = []
      for (const [index, item] of tree.items.entries()) items.push(await walk(item, [...path, index]))
      return { ...tree, items }
    }
    const entries = []
    for (const entry of tree.entries) entries.push({ ...entry, value: await walk(entry.value, [...path, entry.key]) })
    return { ...tree, entries }
  }
  const scalar = async (tree: TreeScalar, path: Path): Promise<Tree> => {
    if (typeof tree.value !== 'string' || !tree.value.includes('${')) return tree
    let value = ''
    let whole = true
    for (const piece of splitReferences(tree.value)) {
      const text = await expand(piece, path, tree.span)
      if (text === undefined) whole = false
      else value += text
    }
    if (!whole) failed.push(path)
    return whole ? { ...tree, value, written: tree.value } : tree
  }

  const root = await walk(source.root, [])
  return { source: { ...source, root }, used, failed, diagnostics }
}

// The reference itself rather than the whole value, where the text shows it literally.
function within(text: string, span: Span, part: string): Span {
  const at = text.slice(span.start, span.end).indexOf(part)
  return at === -1 ? span : { start: span.start + at, end: span.start + at + part.length }
}
