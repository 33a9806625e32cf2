// Writes a text without its findings.
import { type Finding, strictest, toFindings } from './finding.ts'
import type { Scanner } from './scanner.ts'
import { createWriter, type Writer } from './writer.ts'

/** Findings by detector id. */
export type Tally = Map<string, number>

export function count(tally: Tally, id: string, by = 1): void {
  tally.set(id, (tally.get(id) ?? 0) + by)
}

/** The text without what the scanner finds; the same string where that is nothing. `key` is the name of the member that holds it. */
export function maskText(scanner: Scanner, text: string, key: string, tally: Tally, writer: Writer = createWriter()): string {
  const found = scanner.find(text, key)
  return found.spans.length === 0 ? text : maskFindings(text, toFindings(found), tally, writer)
}

/** `findings` sorted by start; overlapping ones become one. Empty where one of them is to be dropped. */
export function maskFindings(text: string, findings: readonly Finding[], tally: Tally, writer: Writer): string {
  let out = ''
  let done = 0
  let dropped = false
  for (let i = 0; i < findings.length; ) {
    const { start } = findings[i]!
    let { end } = findings[i]!
    let next = i + 1
    for (; next < findings.length && findings[next]!.start < end; next++) end = Math.max(end, findings[next]!.end)
    const finding = next === i + 1 ? findings[i]! : merge(findings.slice(i, next), text.slice(start, end))
    dropped ||= finding.action === 'drop'
    out += text.slice(done, start) + replacementOf(finding, tally, writer)
    done = end
    i = next
  }
  return dropped ? '' : out + text.slice(done)
}

/** Bears the name of the widest. What two detectors share is replaced whole: the last characters of one may be the secret part of the other. */
function merge(findings: readonly Finding[], whole: string): Finding {
  const widest = findings.reduce((a, b) => (b.end - b.start > a.end - a.start ? b : a))
  const action = findings.map(one => one.action).reduce(strictest)
  if (findings.every(({ id, inside }) => id === widest.id && inside === undefined)) {
    const isCovered = findings.every(({ start, end }) => start >= widest.start && end <= widest.end)
    return { ...widest, action, ...(!isCovered && { value: whole }) }
  }
  const { inside, ...plain } = widest
  // A value within the spelling of an encoded one comes with it.
  const isEncoded = inside !== undefined && findings.every(one => one.inside !== undefined || one === widest)
  if (isEncoded) return { ...widest, action }
  return { ...plain, action: strictest(action, 'replace'), value: whole }
}

function replacementOf({ id, action, value, inside, percent }: Finding, tally: Tally, writer: Writer): string {
  if (inside !== undefined) {
    for (const [one, by] of inside.counts) count(tally, one, by)
    return inside.text
  }
  count(tally, id)
  const written = writer.write(id, action, value)
  return percent ? encodeURIComponent(written) : written
}
