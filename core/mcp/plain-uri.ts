// A uri as it will be understood: a rule for what lies below a folder must not be led out of it.

const HEAD = /^([a-z][a-z0-9+.-]*:)?(\/\/[^/?#\\]*)?/i
// Hosts of these have no case.
const WITH_HOST = /^(?:https?|file|wss?|ftp):$/
const ENCODED = /%2e|%2f|%5c|\\/gi
const DECODED: Readonly<Record<string, string>> = { '%2e': '.', '%2f': '/', '%5c': '/', '\\': '/' }
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/

/** The same text where there is nothing to straighten. Only to decide by: what is sent stays as it was written. */
export function plainUri(uri: string): string {
  // Parsers drop these without a word.
  const clean = uri.trim().replace(/[\t\n\r]/g, '')
  const [head, scheme = '', authority = ''] = HEAD.exec(clean)!
  const lower = scheme.toLowerCase()
  const rest = clean.slice(head.length)
  const end = rest.search(/[?#]/)
  const path = end < 0 ? rest : rest.slice(0, end)
  const decoded = withSlashes(path)
  const straight = DOTS.test(decoded) ? withoutDots(decoded) : path
  // What was a path makes no authority.
  const plain = authority === '' && straight !== path ? straight.replace(/^\/+/, '/') : straight
  return lower + (WITH_HOST.test(lower) ? authority.toLowerCase() : authority) + plain + (end < 0 ? '' : rest.slice(end))
}

/** Readers differ: behind an empty segment, `..` takes that one away for a url parser, and the one before it for a file system. */
export function isAmbiguous(uri: string): boolean {
  const clean = uri.trim().replace(/[\t\n\r]/g, '')
  const segments = withSlashes(clean.slice(HEAD.exec(clean)![0].length).split(/[?#]/, 1)[0]!).split('/')
  const empty = segments.indexOf('', 1)
  return empty > 0 && segments.includes('..', empty)
}

function withSlashes(path: string): string {
  return path.replace(ENCODED, found => DECODED[found.toLowerCase()]!)
}

function withoutDots(path: string): string {
  const out: string[] = []
  const segments = path.split('/')
  const root = segments[0] === '' ? 1 : 0
  for (const [i, segment] of segments.entries()) {
    if (segment !== '.' && segment !== '..') out.push(segment)
    else {
      if (segment === '..' && out.length > root) out.pop()
      if (i === segments.length - 1) out.push('')
    }
  }
  return out.join('/')
}
