// How a call was decided, as its record says it.
import type { Decision, Exchange } from 'mcpgw/plugin'
import { member, quote } from './json-text.ts'
import type { StoredText } from './stored-text.ts'

const texts = new WeakMap<object, string>()
// An open gateway gives every call the same decision.
let lastAllow: Decision | undefined
let lastAllowText = ''

export function describeDecision(decision: Decision, x: Exchange, text: StoredText): string {
  if (decision === lastAllow) return lastAllowText
  const duties = decision.obligations.length === 0 ? '' : `,"obligations":${JSON.stringify(decision.obligations.map(one => one.name))}`
  const why = member('code', decision.code) + (decision.reason === undefined ? '' : `,"reason":${text.name(decision.reason)}`)
  const basis = x.notes.size === 0 ? '' : describeBasis(x)
  const described = `,"decision":{"outcome":"${decision.outcome}","rules":${JSON.stringify(decision.by)}${duties}${why}${basis}}`
  if (why === '' && basis === '') {
    lastAllow = decision
    lastAllowText = described
  }
  return described
}

/** How it was decided, as the plugin that decided notes it in `plugin.decision`: the bundle, and the rest under the plugin's name. */
function describeBasis({ notes }: Exchange): string {
  for (const [key, value] of notes) {
    if (!key.endsWith('.decision') || typeof value !== 'object' || value === null) continue
    const { bundle } = value as { readonly bundle?: unknown }
    const known = typeof bundle === 'string' ? member('bundle', bundle) : ''
    return `${known},${quote(key.slice(0, -'.decision'.length))}:${describeMembers(value)}`
  }
  return ''
}

/** All but `bundle`. */
function describeMembers(basis: object): string {
  let members = ''
  for (const key of Object.keys(basis)) {
    const text = key === 'bundle' ? undefined : recallJson((basis as Readonly<Record<string, unknown>>)[key])
    if (text !== undefined) members += `,${JSON.stringify(key)}:${text}`
  }
  return `{${members.slice(1)}}`
}

/** What a note holds is frozen, and some of it is the same object from call to call. */
function recallJson(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = texts.get(value)
  if (text === undefined) {
    text = JSON.stringify(value)
    texts.set(value, text)
  }
  return text
}
