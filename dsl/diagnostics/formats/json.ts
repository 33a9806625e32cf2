// Findings for scripts: one object, its members fixed.
import type { Diagnostic } from '../diagnostic.ts'
import { isClean, Places, type Report } from '../report.ts'

export function renderJson(report: Report): string {
  const places = new Places(report.sources)
  const diagnostics = report.diagnostics.map(one => toJson(one, places))
  return `${JSON.stringify({ v: 1, ok: isClean(report), diagnostics }, exactNumbers, 2)}\n`
}

function toJson({ code, severity, message, span, help, witness }: Diagnostic, places: Places): Record<string, unknown> {
  const { file, from, to } = places.of(span)
  const at = { file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column }
  return { code, severity, message, ...at, ...(help === undefined ? {} : { help }), ...(witness === undefined ? {} : { witness }) }
}

const exactNumbers = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
