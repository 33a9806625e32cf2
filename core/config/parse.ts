// Config text to tree: YAML 1.2 core or JSON with comments, both without anything that could surprise.
import type { Node } from 'jsonc-parser'
import type { Alias, Document, Node as YamlNode } from 'yaml'
import { type Diagnostic, type DiagnosticCode, diagnose, type Span, type Text } from './diagnostic.ts'
import { isForbiddenKey, limits, type ScalarValue, type Source, type Tree, type TreeEntry } from './tree.ts'

/** `root` is absent where the text could not be understood at all; findings of the parser do not stop later checks otherwise. */
export interface Parsed {
  readonly source?: Source
  readonly diagnostics: readonly Diagnostic[]
}

const unfollowed: ReadonlySet<DiagnosticCode> = new Set(['config-syntax', 'config-too-deep', 'config-too-large', 'too-many-aliases'])

export async function parseYaml(source: Text, maxNodes: number = limits.nodes): Promise<Parsed> {
  const deep = checkDepth(source)
  if (deep !== undefined) return { diagnostics: [deep] }
  const { isAlias, isMap, isScalar, isSeq, parseDocument } = await import('yaml')
  const document: Document.Parsed = parseDocument(source.text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    customTags: null,
    strict: true,
    // Checked below: the parser's own check compares every key with every other.
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  })
  const diagnostics: Diagnostic[] = []
  const report = (span: Span, code: DiagnosticCode, message: string): void => {
    if (diagnostics.length < limits.diagnostics) diagnostics.push(diagnose(source, span, { code, message }))
  }
  for (const { code, message, pos } of document.errors) {
    report({ start: pos[0], end: pos[1] }, 'config-syntax', code === 'MULTIPLE_DOCS' ? 'a config is one document' : message)
  }
  if (diagnostics.length > 0) return { diagnostics }

  let aliases = 0
  let nodes = 0
  const spanOf = (node: YamlNode | null): Span => ({ start: node?.range?.[0] ?? 0, end: node?.range?.[1] ?? 0 })
  const empty = (span: Span): Tree => ({ kind: 'scalar', span, value: null })
  const walk = (node: YamlNode | null, at: Span, open: readonly YamlNode[]): Tree => {
    const span = node?.range ? spanOf(node) : at
    if (node === null) return empty(span)
    if (open.length > limits.depth || open.includes(node)) {
      report(span, 'config-too-deep', open.includes(node) ? 'an alias contains itself' : `nested deeper than ${limits.depth}`)
      return empty(span)
    }
    nodes += 1
    if (nodes > maxNodes) {
      if (nodes === maxNodes + 1) report(span, 'config-too-large', `more than ${maxNodes} values`)
      return empty(span)
    }
    const inner = [...open, node]
    if (isAlias(node)) return follow(node, span, inner)
    if (node.tag !== undefined) report(span, 'tag-refused', `tag ${node.tag} is not accepted`)
    if (isScalar(node)) return { kind: 'scalar', span, value: scalar(node.value) }
    if (isSeq(node)) return { kind: 'list', span, items: node.items.map(item => walk(item as YamlNode | null, span, inner)) }
    if (!isMap(node)) return empty(span)
    const entries = new Map<string, TreeEntry>()
    for (const pair of node.items) {
      const keySpan = spanOf(pair.key as YamlNode)
      const key = isScalar(pair.key) ? String(pair.key.value) : ''
      if (isForbiddenKey(key) || !isScalar(pair.key)) report(keySpan, 'forbidden-key', refusal(key))
      else if (entries.has(key)) report(keySpan, 'duplicate-key', `duplicate key "${key}"`)
      else entries.set(key, { key, keySpan, value: walk(pair.value as YamlNode | null, keySpan, inner) })
    }
    return { kind: 'map', span, entries: [...entries.values()] }
  }
  const follow = (node: Alias, span: Span, inner: readonly YamlNode[]): Tree => {
    aliases += 1
    if (aliases > limits.aliases) {
      if (aliases === limits.aliases + 1) report(span, 'too-many-aliases', `more than ${limits.aliases} aliases`)
      return empty(span)
    }
    const target = node.resolve(document)
    if (target === undefined) report(span, 'config-syntax', `no anchor &${node.source} stands before this alias`)
    return target === undefined ? empty(span) : walk(target, span, inner)
  }
  const root = walk(document.contents, { start: 0, end: 0 }, [])
  // What could not be followed would only show up again as missing.
  return diagnostics.some(({ code }) => unfollowed.has(code)) ? { diagnostics } : { source: { ...source, root }, diagnostics }
}

export async function parseJson(source: Text): Promise<Parsed> {
  const deep = checkDepth(source)
  if (deep !== undefined) return { diagnostics: [deep] }
  const { parseTree, printParseErrorCode } = await import('jsonc-parser')
  const errors: { error: number; offset: number; length: number }[] = []
  const top = parseTree(source.text, errors, { allowTrailingComma: true, disallowComments: false })
  const diagnostics = errors.map(({ error, offset, length }) =>
    diagnose(source, { start: offset, end: offset + length }, { code: 'config-syntax', message: sentence(printParseErrorCode(error)) }),
  )
  if (top === undefined || errors.length > 0) {
    return {
      diagnostics: errors.length > 0 ? diagnostics : [diagnose(source, undefined, { code: 'config-syntax', message: 'the file is empty' })],
    }
  }
  const walk = (node: Node): Tree => {
    const span = { start: node.offset, end: node.offset + node.length }
    if (node.type === 'array') return { kind: 'list', span, items: (node.children ?? []).map(walk) }
    if (node.type !== 'object') return { kind: 'scalar', span, value: scalar(node.value) }
    const entries = new Map<string, TreeEntry>()
    for (const { children: [name, value] = [] } of node.children ?? []) {
      if (name === undefined || value === undefined) continue
      const key = String(name.value)
      const keySpan = { start: name.offset, end: name.offset + name.length }
      if (isForbiddenKey(key)) diagnostics.push(diagnose(source, keySpan, { code: 'forbidden-key', message: refusal(key) }))
      else if (entries.has(key)) {
        diagnostics.push(diagnose(source, keySpan, { code: 'duplicate-key', message: `duplicate key "${key}"` }))
      } else entries.set(key, { key, keySpan, value: walk(value) })
    }
    return { kind: 'map', span, entries: [...entries.values()] }
  }
  return { source: { ...source, root: walk(top) }, diagnostics }
}

// Invariant: both parsers recurse, and a text of brackets can exhaust the stack where V8 cannot even throw; so depth is bounded before them.
// Brackets in strings and comments count too: no config has so many that stay open.
function checkDepth(source: Text): Diagnostic | undefined {
  let depth = 0
  let indent = 0
  let leading = true
  for (let at = 0; at < source.text.length; at++) {
    const char = source.text[at]
    if (char === '\n' || char === '\r') {
      leading = true
      indent = 0
    } else if (leading && (char === ' ' || char === '-' || char === '?' || char === ':' || char === '\t')) indent += 1
    else leading = false
    if (char === '[' || char === '{') depth += 1
    else if ((char === ']' || char === '}') && depth > 0) depth -= 1
    if (depth > limits.depth || indent > limits.depth * 4) {
      const message = `nested deeper than ${limits.depth}`
      return diagnose(source, { start: at, end: at + 1 }, { code: 'config-too-deep', message })
    }
  }
  return undefined
}

function scalar(value: unknown): ScalarValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function refusal(key: string): string {
  return key === '<<' ? 'merge keys are not accepted' : `"${key}" cannot be a key`
}

// `CommaExpected` to `comma expected`.
function sentence(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}
