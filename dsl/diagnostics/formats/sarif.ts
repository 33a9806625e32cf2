// Findings for code scanning: SARIF 2.1.0, one run, the whole catalogue as its rules.
import type { Span } from '../../span.ts'
import { catalogue, type Severity } from '../catalogue.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { Places, type Report } from '../report.ts'
import { witnessText } from './pretty.ts'

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', hint: 'note' }
const codes = Object.keys(catalogue)

/** `version` is that of the program that checks. */
export function renderSarif({ diagnostics, sources }: Report, options: { readonly version?: string | undefined } = {}): string {
  const places = new Places(sources)
  const rules = Object.entries(catalogue).map(([id, { severity, title }]) => ({
    id,
    shortDescription: { text: title },
    defaultConfiguration: { level: levels[severity] },
  }))
  const driver = { name: 'mcpgw policy check', ...(options.version === undefined ? {} : { semanticVersion: options.version }), rules }
  const artifacts = [...new Set(sources.map(source => source.file))].map(file => ({ location: { uri: toUri(file) } }))
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', artifacts, results: diagnostics.map(one => toResult(one, places)) }
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`
}

function toResult(diagnostic: Diagnostic, places: Places): Record<string, unknown> {
  const { code, severity, message, span, labels = [], help, fix, witness } = diagnostic
  const more = [help === undefined ? '' : `help: ${help}`, witness === undefined ? '' : `example: ${witnessText(witness)}`]
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: [message, ...more.filter(text => text !== '')].join('\n') },
    locations: [{ physicalLocation: locate(span, places) }],
    ...(labels.length === 0
      ? {}
      : { relatedLocations: labels.map(({ span: at, text }, id) => ({ id, physicalLocation: locate(at, places), message: { text } })) }),
    ...(fix === undefined
      ? {}
      : {
          fixes: [
            {
              description: { text: fix.title },
              artifactChanges: [
                {
                  artifactLocation: { uri: toUri(fix.span.file) },
                  replacements: [{ deletedRegion: locate(fix.span, places).region, insertedContent: { text: fix.text } }],
                },
              ],
            },
          ],
        }),
  }
}

function locate(span: Span, places: Places): { artifactLocation: { uri: string }; region: Record<string, number> } {
  const { file, from, to } = places.of(span)
  const region = { startLine: from.line, startColumn: from.column, endLine: to.line, endColumn: to.column }
  return { artifactLocation: { uri: toUri(file) }, region }
}

/** A path as a URI reference: relative ones stay so, for code scanning finds files by them. */
export function toUri(file: string): string {
  const path = file
    .replaceAll('\\', '/')
    .replace(/\p{Cs}/gu, '\ufffd')
    .split('/')
    .map(encodeURIComponent)
    .join('/')
    .replaceAll('%3A', ':')
  if (/^[A-Za-z]:\//.test(path)) return `file:///${path}`
  if (path.startsWith('/')) return `file://${path}`
  // A colon in the first segment of a relative reference would make it a scheme.
  return /^[^/]*:/.test(path) ? `./${path}` : path
}
