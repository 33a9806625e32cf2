// Schema issues to diagnostics: what stands where, what was expected, and what was probably meant.
import type * as z from 'zod'
import { suggest } from '../plugin/suggest.ts'
import { type Diagnostic, type DiagnosticCode, diagnose, isDiagnosticCode } from './diagnostic.ts'
import { keysAt } from './json-schema.ts'
import { find, keySpanOf, limits, type Path, type Source, spanOf, type Tree } from './tree.ts'

type Issue = z.core.$ZodIssue

/** Issues at or under a `skip` path are left out: what is wrong there has been said already. */
export function explainIssues(source: Source, issues: readonly Issue[], schema: z.ZodType, skip: readonly Path[]): Diagnostic[] {
  const context = { source, schema, skip }
  return issues.slice(0, limits.diagnostics).flatMap(issue => explain(context, issue, toPath(issue.path)))
}

interface Context {
  readonly source: Source
  readonly schema: z.ZodType
  readonly skip: readonly Path[]
}

function explain(context: Context, issue: Issue, path: Path): Diagnostic[] {
  const { source, skip } = context
  if (skip.some(prefix => prefix.every((step, index) => step === path[index]))) return []
  const found = find(source.root, path)
  const at = spanOf(source.root, path)
  const report = (code: DiagnosticCode, message: string, help?: string): Diagnostic[] => [diagnose(source, at, { code, message, help })]
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, 20).map(key => unknownKey(context, path, key))
  if (issue.code === 'invalid_union') return explainUnion(context, issue, path, found)
  if (found === undefined) return report('missing-key', `missing ${nameOf(path)}`, `expected ${expectation(issue)}`)
  if (issue.code === 'invalid_type') return [wrongType(source, path, found, [expectation(issue)])]
  if (issue.code === 'invalid_key') {
    const why = issue.issues[0]?.message ?? 'not accepted'
    return [diagnose(source, keySpanOf(source.root, path.slice(0, -1), String(path.at(-1))), { code: 'bad-value', message: why })]
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    if (found.kind !== 'scalar' || typeof found.value !== 'string') return [wrongType(source, path, found, [`one of ${values.join(', ')}`])]
    const near = suggest(found.value, values)
    return report('bad-value', `expected one of ${values.join(', ')}`, near && `did you mean ${near}?`)
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') return report('bad-value', describeBound(issue))
  const code: unknown = issue.code === 'custom' ? issue.params?.code : undefined
  return report(typeof code === 'string' && isDiagnosticCode(code) ? code : 'bad-value', issue.message)
}

function describeBound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (issue.origin === 'string' || issue.origin === 'array') return issue.code === 'too_small' ? 'must not be empty' : 'too long'
  return issue.code === 'too_small' ? `expected at least ${issue.minimum}` : `expected at most ${issue.maximum}`
}

function unknownKey({ source, schema }: Context, path: Path, key: string): Diagnostic {
  const known = keysAt(schema, path)
  const near = suggest(key, known)
  const isOfPlugin =
    path.length === 0 && known.includes('plugins') && /^(audit|auth|redact|policy|meter|metering|rateLimit|ratelimit)$/.test(key)
  const help = isOfPlugin
    ? `what belongs to a plugin stands in the list: plugins: [{${key}: {...}}]`
    : near !== undefined
      ? `did you mean "${near}"?`
      : known.length > 0
        ? `keys here: ${known.join(', ')}`
        : undefined
  return diagnose(source, keySpanOf(source.root, path, key), { code: 'unknown-key', message: `unknown key "${key}"`, help })
}

// The alternative whose own type fits is the one that was meant; where none fits, all are named.
function explainUnion(context: Context, issue: z.core.$ZodIssueInvalidUnion, path: Path, found: Tree | undefined): Diagnostic[] {
  const meant = issue.errors.find(fits)
  if (meant !== undefined) return meant.flatMap(inner => explain(context, inner, [...path, ...toPath(inner.path)]))
  if (found === undefined)
    return [diagnose(context.source, spanOf(context.source.root, path), { code: 'missing-key', message: `missing ${nameOf(path)}` })]
  const expected = issue.errors.flatMap(inner => inner.filter(one => one.path.length === 0).flatMap(expectations))
  return [wrongType(context.source, path, found, [...new Set(expected)])]
}

function fits(inner: readonly Issue[]): boolean {
  return inner.every(one => one.path.length > 0 || (one.code === 'invalid_union' ? one.errors.some(fits) : one.code !== 'invalid_type'))
}

function wrongType(source: Source, path: Path, found: Tree, expected: readonly string[]): Diagnostic {
  const message = `${nameOf(path)} takes ${expected.join(' or ')}, found ${describe(found, path)}`
  const quotable = found.kind === 'scalar' && found.value !== null && typeof found.value !== 'string' && expected.includes('a string')
  return diagnose(source, spanOf(source.root, path), {
    code: 'wrong-type',
    message,
    help: quotable ? 'put the value in quotes' : undefined,
  })
}

const words: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return words[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`
  return issue.message
}

function expectations(issue: Issue): string[] {
  return issue.code === 'invalid_union' ? issue.errors.flatMap(inner => inner.flatMap(expectations)) : [expectation(issue)]
}

// Values of variables, of environment and header entries are not repeated: they may be secrets.
function describe(tree: Tree, path: Path): string {
  if (tree.kind === 'map') return 'a map'
  if (tree.kind === 'list') return 'a list'
  if (tree.value === null) return 'nothing'
  const type = { string: 'the string', number: 'the number', boolean: '' }[typeof tree.value as 'string' | 'number' | 'boolean']
  const hidden = tree.written !== undefined || path.includes('env') || path.includes('headers') || path.includes('auth')
  const shown = JSON.stringify(tree.value)
  return hidden || shown.length > 40 ? `a ${typeof tree.value}` : `${type} ${shown}`.trim()
}

function nameOf(path: Path): string {
  const last = path.at(-1)
  if (last === undefined) return 'the file'
  return typeof last === 'number' ? `entry ${last + 1} of "${String(path.at(-2))}"` : `"${last}"`
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map(step => (typeof step === 'symbol' ? String(step) : step))
}
