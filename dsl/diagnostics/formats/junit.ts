// Findings as test results, which every CI can show: a suite a file, a case a finding, one passing case for a file without any.
import type { Diagnostic } from '../diagnostic.ts'
import { fails, Places, type Report } from '../report.ts'
import { renderPretty } from './pretty.ts'

export function renderJunit({ diagnostics, sources, failLevel }: Report): string {
  const places = new Places(sources)
  const files = [...new Set([...sources, ...diagnostics.map(one => one.span)].map(one => one.file))]
  const failing = (list: readonly Diagnostic[]): number => list.filter(one => fails(one.severity, failLevel)).length
  const count = (list: readonly Diagnostic[]): string => `tests="${Math.max(1, list.length)}" failures="${failing(list)}" errors="0"`
  const suites = files.map(file => {
    const own = diagnostics.filter(one => one.span.file === file)
    const cases = own.map(one => {
      const { from } = places.of(one.span)
      const text = renderPretty({ diagnostics: [one], sources, failLevel }, { color: false })
      const inner = fails(one.severity, failLevel)
        ? `<failure type="${one.code}" message="${attribute(one.message)}">${content(text)}</failure>`
        : `<system-out>${content(text)}</system-out>`
      return `    <testcase classname="${attribute(file)}" name="${one.code} at ${from.line}:${from.column}">${inner}</testcase>\n`
    })
    const clean = `    <testcase classname="${attribute(file)}" name="no findings"/>\n`
    return `  <testsuite name="${attribute(file)}" ${count(own)}>\n${cases.length === 0 ? clean : cases.join('')}  </testsuite>\n`
  })
  const tests = files.reduce((sum, file) => sum + Math.max(1, diagnostics.filter(one => one.span.file === file).length), 0)
  const head = `<testsuites name="mcpgw policy check" tests="${tests}" failures="${failing(diagnostics)}" errors="0">`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${suites.join('')}</testsuites>\n`
}

// XML 1.0 has no way to write most control characters, not even as references.
function content(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

function attribute(text: string): string {
  return content(text)
    .replaceAll('"', '&quot;')
    .replace(/[\t\n\r]/g, found => `&#${found.charCodeAt(0)};`)
}
