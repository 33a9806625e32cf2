// Findings for people: what, where with the text underlined, further places, and how to mend it.
import type { Diagnostic } from '../diagnostic.ts'
import { type Place, Places, type Report } from '../report.ts'

const widest = 120
const styles = { error: '31', warning: '33', hint: '36' } as const

/** One block a finding, separated by empty lines. */
export function renderPretty({ diagnostics, sources }: Report, options: { readonly color: boolean }): string {
  const places = new Places(sources)
  return diagnostics.map(one => renderOne(one, places, options.color)).join('\n')
}

function renderOne(diagnostic: Diagnostic, places: Places, color: boolean): string {
  const { code, severity, message, span, labels = [], help, fix, witness } = diagnostic
  const paint = (style: string, text: string): string => (color ? `\u001b[${style}m${text}\u001b[0m` : text)
  const all = [span, ...labels.map(label => label.span)].map(one => places.of(one))
  const gutter = ' '.repeat(Math.max(...all.map(place => String(place.from.line).length)))
  const frame = (place: Place, arrow: string, mark: string, style: string, text: string): string[] => {
    const { file, from } = place
    const lines = [`${gutter} ${paint('2', arrow)} ${escapeControls(`${file}:${from.line}:${from.column}`)}`]
    const line = places.line(file, from.line)
    if (line === undefined) return text === '' ? lines : [`${lines[0]}: ${escapeControls(text)}`]
    const seen = cutToWindow(line, place)
    const note = text === '' ? '' : ` ${escapeControls(text)}`
    lines.push(`${paint('2', `${String(from.line).padStart(gutter.length)} |`)} ${seen.text}`)
    lines.push(`${paint('2', `${gutter} |`)} ${' '.repeat(seen.pad)}${paint(style, `${mark.repeat(seen.width)}${note}`)}`)
    return lines
  }
  const note = (title: string, text: string): string => `${gutter} ${paint('2', '=')} ${paint('36', title)}: ${escapeControls(text)}`
  const lines = [
    `${paint(`${styles[severity]};1`, severity)}[${code}]: ${escapeControls(message)}`,
    ...frame(all[0]!, '-->', '^', styles[severity], ''),
    ...labels.flatMap((label, i) => frame(all[i + 1]!, ':::', '-', '34', label.text)),
  ]
  if (help !== undefined) lines.push(note('help', help))
  if (fix !== undefined) lines.push(note('fix', fix.title))
  if (witness !== undefined) lines.push(note('example', witnessText(witness)))
  return `${lines.join('\n')}\n`
}

/** A call as one line of JSON. */
export function witnessText(witness: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(witness, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))
}

// The line made safe for a terminal and cut to a window around the mark.
function cutToWindow(line: string, { from, to }: Place): { text: string; pad: number; width: number } {
  const last = to.line === from.line ? to.column : line.trimEnd().length + 1
  const start = from.column > widest - 20 ? from.column - 21 : 0
  const text = line.slice(start, start + widest)
  const pad = Math.min(from.column - 1 - start, text.length)
  const width = Math.max(1, Math.min(last - from.column, text.length - pad))
  return { text: `${start > 0 ? '…' : ''}${plain(text.slice(start > 0 ? 1 : 0))}`, pad, width }
}

const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

// One column a character, so that the mark stays in place.
function plain(text: string): string {
  return text.replace(unseen, found => (found === '\t' ? ' ' : '?'.repeat(found.length)))
}

/** Text of a file or a server made safe for a terminal: no control, bidi or invisible character survives. */
export function escapeControls(text: string): string {
  return text.replace(unseen, found => `\\u{${found.codePointAt(0)?.toString(16)}}`)
}
