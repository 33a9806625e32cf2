// Collects what is wrong with a bundle, with the severity of each code; what is said twice is kept once.
import { catalogue, type DiagnosticCode } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../span.ts'

export interface Report {
  readonly diagnostics: readonly Diagnostic[]
  say(code: DiagnosticCode, message: string, span: Span, more?: Partial<Pick<Diagnostic, 'labels' | 'help' | 'fix'>>): void
  add(diagnostics: readonly Diagnostic[]): void
}

export function createReport(): Report {
  const diagnostics: Diagnostic[] = []
  const said = new Set<string>()
  const add = (diagnostic: Diagnostic): void => {
    const { code, message, span } = diagnostic
    const key = JSON.stringify([code, message, span.file, span.start, span.end])
    if (said.has(key)) return
    said.add(key)
    diagnostics.push(diagnostic)
  }
  return {
    diagnostics,
    say: (code, message, span, more) => add({ code, severity: catalogue[code].severity, message, span, ...more }),
    add: given => given.forEach(add),
  }
}
