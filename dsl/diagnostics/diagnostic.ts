// One finding of the parser or the checker: a stable code, where it stands, what was expected and found, and how to mend it.
import type { Span } from '../span.ts'
import type { DiagnosticCode, Severity } from './catalogue.ts'

export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: Severity
  /** One line, lower case, no period; user text in backticks; expected and found. */
  readonly message: string
  readonly span: Span
  /** Further places, e.g. where the first rule of that name stands. */
  readonly labels?: readonly { readonly span: Span; readonly text: string }[]
  readonly help?: string
  /** Replaces `span` with `text`. */
  readonly fix?: { readonly span: Span; readonly text: string; readonly title: string }
  /** A call that shows it, in the form of `mcpgw policy eval --call`. */
  readonly witness?: Readonly<Record<string, unknown>>
}
