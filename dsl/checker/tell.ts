// A finding with the severity that its code has.
import { catalogue, type DiagnosticCode } from '../diagnostics/catalogue.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../span.ts'

export function finding(
  code: DiagnosticCode,
  span: Span,
  message: string,
  more: Omit<Partial<Diagnostic>, 'code' | 'severity' | 'span' | 'message'> = {},
): Diagnostic {
  return { code, severity: catalogue[code].severity, message, span, ...more }
}

/** `did you mean`, with the text that would mend it. */
export function meant(span: Span, near: string | undefined, text: string = near ?? ''): Pick<Diagnostic, 'help' | 'fix'> {
  return near === undefined ? {} : { help: `did you mean \`${near}\`?`, fix: { span, text, title: `write \`${text}\`` } }
}

/** `a`, `b` and 3 others. */
export function listSome(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map(name => `\`${name}\``)
  const rest = names.length - shown.length
  if (rest > 0) return `${shown.join(', ')} and ${rest} ${rest === 1 ? 'other' : 'others'}`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
