// Findings as workflow commands, which GitHub shows beside the lines of a pull request.
import type { Severity } from '../catalogue.ts'
import { Places, type Report } from '../report.ts'
import { witnessText } from './pretty.ts'

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', hint: 'notice' }

export function renderGithub({ diagnostics, sources }: Report): string {
  const places = new Places(sources)
  return diagnostics
    .map(({ code, severity, message, span, help, witness }) => {
      const { file, from, to } = places.of(span)
      // A range of columns is for one line only.
      const columns =
        from.line === to.line ? `,col=${from.column},endColumn=${Math.max(from.column, to.column - 1)}` : `,col=${from.column}`
      const at = `file=${property(file)},line=${from.line},endLine=${to.line}${columns},title=${property(code)}`
      const lines = [message, help === undefined ? '' : `help: ${help}`, witness === undefined ? '' : `example: ${witnessText(witness)}`]
      return `::${commands[severity]} ${at}::${data(lines.filter(line => line !== '').join('\n'))}\n`
    })
    .join('')
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
