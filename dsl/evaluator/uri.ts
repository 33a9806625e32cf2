// A uri as rules compare it (RFC 3986, section 6.2): no spelling of it leads out of a place that a rule names, or into one.

const HEAD = /^([a-z][a-z0-9+.-]*:)?(\/\/[^/?#\\]*)?/i
// Hosts of these have no case.
const WITH_HOST = /^(?:https?|file|wss?|ftp):$/
const DEFAULT_PORT: ReadonlyMap<string, string> = new Map([
  ['http:', ':80'],
  ['ws:', ':80'],
  ['https:', ':443'],
  ['wss:', ':443'],
  ['ftp:', ':21'],
])
const SEPARATOR = /%2e|%2f|%5c|\\/gi
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/
/** Delimiters that mean nothing in a path. Not `*`, which is one of the language. */
const HARMLESS = /%(?:2[146-9BC]|3[ABD]|40|5[BD])/g
const ESCAPE = /%[0-9a-f]{2}/gi
const BARE_PERCENT = /%(?![0-9a-f]{2})/gi
const UNRESERVED = /^[A-Za-z0-9._~-]$/
const FOREIGN = /[^\x21-\x7e]|["<>\\^`{|}]/u
const FOREIGN_RUN = /(?:[^\x21-\x7e]|["<>\\^`{|}])+/gu

/**
 * Idempotent; the gateway's own reading of a uri (`plainUri`) and the uri itself give the same. Further than the RFC where servers that
 * read files go further: an escape in a path is what it stands for, and several `/` are one.
 */
export function normaliseUri(uri: string): string {
  let plain = straightened(uri)
  // What an escape stood for may be read in another way than the escape.
  for (let last = uri, pass = 0; plain !== last && pass < 8; pass++) [last, plain] = [plain, straightened(plain)]
  return plain
}

function straightened(uri: string): string {
  // Parsers drop these without a word.
  const clean = uri.trim().replace(/[\t\n\r]/g, '')
  const [head, scheme = '', authority = ''] = HEAD.exec(clean)!
  const lower = scheme.toLowerCase()
  const rest = clean.slice(head.length)
  const end = rest.search(/[?#]/)
  const before = end < 0 ? rest : rest.slice(0, end)
  const path = straighten(WITH_HOST.test(lower) ? before.replaceAll('\\', '/') : before)
  return (
    lower +
    hostOf(lower, lower === 'file:' && authority === '' && path.startsWith('/') ? '//' : authority) +
    (path === '' && authority !== '' && DEFAULT_PORT.has(lower) ? '/' : path) +
    (end < 0 ? '' : spell(rest.slice(end)))
  )
}

/** Whether the path of a uri has `.` or `..` in it, in any spelling. */
export function hasDots(uri: string): boolean {
  const clean = uri.trim().replace(/[\t\n\r]/g, '')
  const rest = clean.slice(HEAD.exec(clean)![0].length)
  return DOTS.test(withSlashes(rest.split(/[?#]/, 1)[0]!))
}

function hostOf(scheme: string, authority: string): string {
  if (!WITH_HOST.test(scheme)) return spell(authority)
  // RFC 8089: a file of this host.
  if (scheme === 'file:' && authority.toLowerCase() === '//localhost') return '//'
  let host = spell(authority).replace(/(?:[^%]|%[0-9A-F]{2})/g, part => (part.length === 1 ? part.toLowerCase() : part))
  const port = DEFAULT_PORT.get(scheme) ?? ':'
  for (let end = ''; end !== host; ) {
    end = host
    host = host.endsWith(port) ? host.slice(0, -port.length) : host.endsWith(':') ? host.slice(0, -1) : host
  }
  return host
}

function straighten(path: string): string {
  const decoded = withSlashes(path)
  const plain = (DOTS.test(decoded) ? withoutDots(decoded) : decoded).replace(/\/{2,}/g, '/')
  return spell(plain).replace(HARMLESS, escaped => decodeURIComponent(escaped))
}

function withSlashes(path: string): string {
  return path.replace(SEPARATOR, found => (found.toLowerCase() === '%2e' ? '.' : '/'))
}

/** Escapes only where they are needed, in capitals. */
function spell(text: string): string {
  const known = text.includes('%') ? text.replace(BARE_PERCENT, '%25').replace(ESCAPE, unescapeUnreserved) : text
  return FOREIGN.test(known) ? known.replace(FOREIGN_RUN, escapeRun) : known
}

function unescapeUnreserved(escaped: string): string {
  const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
  return UNRESERVED.test(char) ? char : escaped.toUpperCase()
}

function escapeRun(run: string): string {
  // Half of a surrogate pair is no character.
  return encodeURIComponent(run.replace(/\p{Surrogate}/gu, '\ufffd'))
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
