// All that is known of some policy files: what is wrong with them, and, where nothing is an error, the policy that may be evaluated.
import type { PolicyFile } from '../ast.ts'
import type { Bundle, CheckedPolicy } from '../bundle/bundle.ts'
import { resolveBundle } from '../bundle/resolve.ts'
import type { DiagnosticCode } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { sortDiagnostics } from '../diagnostics/report.ts'
import type { Source } from '../span.ts'
import { type ParsedPolicy, parsePolicy } from '../syntax/parse.ts'
import { adviceChecks, errorChecks } from './checks.ts'
import type { Check, CheckContext } from './context.ts'

export interface Checked {
  /** In the order of the files, each once. */
  readonly diagnostics: readonly Diagnostic[]
  /** As far as they could be read. */
  readonly files: readonly PolicyFile[]
  /** Only where nothing is an error. */
  readonly policy?: CheckedPolicy
}

/** Obligations that the plugins of the package carry out. */
export const builtInDischargers: ReadonlySet<string> = new Set(['approval', 'limit', 'log', 'redact'])

// What a file with syntax errors may only seem to lack: a name that could not be read, a clause that a brace too many cut off.
const ofNames: ReadonlySet<DiagnosticCode> = new Set(['unknown-set', 'cel-unknown-name'])
const ofClauses: ReadonlySet<DiagnosticCode> = new Set(['missing-who', 'missing-target', 'missing-then'])

/** Without `dischargers`, those of the lock; without a lock, the built-in ones. */
export function checkPolicies(sources: readonly Source[], given: Partial<CheckContext>): Checked {
  return checkBy(sources, given, adviceChecks)
}

/** Only what keeps a bundle from being loaded is looked for: faster, for who evaluates. */
export function loadPolicies(sources: readonly Source[], given: Partial<CheckContext>): Checked {
  return checkBy(sources, given, [])
}

function checkBy(sources: readonly Source[], given: Partial<CheckContext>, advice: readonly Check[]): Checked {
  const { lock, live, now = new Date(), dischargers = lock === undefined ? builtInDischargers : new Set(lock.dischargers) } = given
  const context: CheckContext = { lock, live, dischargers, now }
  const { bundle, diagnostics } = readPolicies(sources, dischargers)
  diagnostics.push(...ask(errorChecks, bundle, context))
  if (!hasErrors(diagnostics)) diagnostics.push(...ask(advice, bundle, context))
  const sorted = sortDiagnostics(diagnostics, sources)
  return { diagnostics: sorted, files: bundle.files, ...(hasErrors(sorted) ? {} : { policy: bundle as CheckedPolicy }) }
}

function readPolicies(sources: readonly Source[], dischargers: ReadonlySet<string>): { bundle: Bundle; diagnostics: Diagnostic[] } {
  const parsed = sources.map(parsePolicy)
  const broken = new Map(sources.flatMap((source, at) => (hasErrors(parsed[at]!.diagnostics) ? [[source.file, parsed[at]!]] : [])))
  const files = parsed.flatMap(one => (one.file === undefined ? [] : [one.file]))
  const { bundle, diagnostics } = resolveBundle(files, dischargers)
  const own = diagnostics.filter(one => !isAftermath(one, broken.get(one.span.file)))
  return { bundle, diagnostics: [...parsed.flatMap(one => one.diagnostics), ...own] }
}

function isAftermath({ code, span }: Diagnostic, parsed: ParsedPolicy | undefined): boolean {
  if (parsed?.file === undefined) return false
  if (ofNames.has(code)) return parsed.lacksNames
  if (!ofClauses.has(code)) return false
  const rule = parsed.file.items.find(item => item.span.start <= span.start && span.end <= item.span.end)
  if (rule === undefined) return false
  const text = parsed.file.source.text
  let behind = rule.span.end
  while (/\s/.test(text[behind] ?? '')) behind++
  return parsed.diagnostics.some(one => one.span.start === behind)
}

function ask(checks: readonly Check[], bundle: Bundle, context: CheckContext): Diagnostic[] {
  return checks.flatMap(check => [...check(bundle, context)])
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(one => one.severity === 'error')
}
