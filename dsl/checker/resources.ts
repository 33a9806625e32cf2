// Whether a uri pattern and what a server lists may meet. Only what surely cannot is denied.
import { normaliseUri } from '../evaluator/uri.ts'

/** `pattern` with `*`, `uri` a uri or a template with `{}`: false only where their literal beginnings or ends contradict. */
export function couldBe(pattern: string, uri: string): boolean {
  const a = literalEnds(normaliseUri(pattern), /\*+/)
  // Braces are escaped when a uri is normalised.
  const b = literalEnds(/[{}]/.test(uri) ? uri : normaliseUri(uri), /\{[^{}]*\}/)
  if (a.whole && b.whole) return a.first === b.first
  return agree(a.first, b.first) && agree(reverse(a.last), reverse(b.last))
}

function literalEnds(text: string, hole: RegExp): { first: string; last: string; whole: boolean } {
  const parts = text.split(hole)
  return { first: parts[0]!, last: parts.at(-1)!, whole: parts.length === 1 }
}

function agree(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

function reverse(text: string): string {
  return Array.from(text).reverse().join('')
}
