// The Prometheus text exposition format: one sample a line, label values escaped.

export type Labels = Readonly<Record<string, string>>

/** A label without a value is none. */
export function renderSample(name: string, labels: Labels, value: number): string {
  const given = Object.entries(labels).filter(([, text]) => text !== '')
  const pairs = given.map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${formatNumber(value)}\n`
}

export function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
