// What the head of a request asks for: its path, written straight, and the types that its client takes.

/** The plain path; `undefined` for absolute-form, dot segments and anything else that is not written straight. */
export function pathOf(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('/')) return undefined
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  return PLAIN.test(path) ? path : undefined
}

/** A part may begin with no dot; behind the first, which is ours, it may be a name, in which any character may stand escaped. Ids of servers need no escape. */
const PLAIN =
  /^(?:(?:\/\.well-known)?(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+|\/(?!mcp\/)[a-z]+(?:\/(?:[A-Za-z0-9_-]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9_.~@:-]|%[0-9A-Fa-f]{2})*)+)$/

/** No Accept header means anything. Spec: RFC 9110, 12.5.1. */
export function accepts(accept: string | undefined, type: string): boolean {
  return accept === undefined || accept.includes(type) || accept.includes('*/*') || accept.includes(`${type.split('/')[0]}/*`)
}
