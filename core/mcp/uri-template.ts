// Finds the resource template that a uri can come from, in linear time and without a regex made from a peer's text.

/**
 * True where `uri` can be an expansion of `template` (RFC 6570, level 1: each expression stands for one or more characters).
 * Never a proof: it only chooses the server to ask.
 */
/** True below `uri`, not where two names only begin alike. Spec: server/resources: a sub-resource of one that is subscribed to. */
export function isWithin(uri: string, sub: string): boolean {
  return sub.startsWith(uri) && (uri.endsWith('/') || /^[/?#]/.test(sub.slice(uri.length)))
}

export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(/\{[^{}]*\}/)
  const first = literals[0] ?? ''
  if (literals.length === 1) return uri === first
  const last = literals[literals.length - 1] ?? ''
  if (!uri.startsWith(first) || !uri.endsWith(last)) return false
  let at = first.length
  const end = uri.length - last.length
  for (const literal of literals.slice(1, -1)) {
    const found = uri.indexOf(literal, at + 1)
    if (found < 0) return false
    at = found + literal.length
  }
  return at < end
}

/** The scheme of a uri in lower case, `''` where there is none. */
export function schemeOf(uri: string): string {
  const end = uri.indexOf(':')
  return end > 0 ? uri.slice(0, end).toLowerCase() : ''
}
