// Passwords in connection strings: `scheme://user:password@host`, and `Server=...;Password=...`.
import { isAlphanumeric, tableOf } from '../characters.ts'
import type { MarkDetector, PrefixDetector, Range } from '../detector.ts'

const longest = 128
const outside = tableOf(' \t\r\n"\'<>/?#`')
const endOfValue = tableOf(' \t\r\n"\'<>;&,`')

export const urlPassword: MarkDetector = { id: 'password', action: 'replace', on: 'mark', mark: '@', find: findInUrl }

function findInUrl(text: string, at: number, floor: number): Range | undefined {
  let start = at
  while (start > floor && at - start < longest && text.charCodeAt(start - 1) !== 0x40 && !isOneOf(outside, text.charCodeAt(start - 1)))
    start--
  if (!text.startsWith('://', start - 3) || start - 3 < floor) return undefined
  const colon = text.indexOf(':', start)
  if (colon < 0 || colon >= at) return undefined
  const host = text.charCodeAt(at + 1)
  if (!isAlphanumeric(host) && host !== 0x5b) return undefined
  const end = lastAt(text, at)
  return colon + 1 === end || isPlaceholder(text.slice(colon + 1, end)) ? undefined : { start: colon + 1, end }
}

// An `@` in the password may be there unescaped: the last one before the path counts.
function lastAt(text: string, at: number): number {
  let last = at
  for (let i = at + 1; i < text.length && i - at < longest && !isOneOf(outside, text.charCodeAt(i)); i++) {
    if (text.charCodeAt(i) === 0x40) last = i
  }
  return last
}

export const fieldPassword: PrefixDetector = {
  id: 'password',
  action: 'replace',
  on: 'prefix',
  prefixes: ['Password=', 'password=', 'PASSWORD=', 'Pwd=', 'pwd=', 'PWD='],
  body: tableOf(''),
  literalSuffices: true,
  find(text, at, from) {
    let end = from
    while (end < text.length && end - from < longest && !isOneOf(endOfValue, text.charCodeAt(end))) end++
    const value = text.slice(from, end)
    if (value.length === 0 || isPlaceholder(value) || !isConnection(text, at, end)) return undefined
    return { start: from, end }
  },
}

const reach = 64
const before = /(?:server|host|data source|user(?: id)?|uid|username|dbname|database) ?=/i
const after = /^["']?[ ;,&]{1,2}(?:server|host|data source|user(?: id)?|uid|username|dbname|database) ?=/i

/** Whether another field of a connection string stands close before it, or follows. */
function isConnection(text: string, at: number, end: number): boolean {
  return after.test(text.slice(end, end + reach)) || before.test(text.slice(Math.max(0, at - reach), at))
}

// Already masked, or filled in elsewhere: `[PASSWORD]`, `****`, `${DB_PASSWORD}`, `{{password}}`, `<password>`, `%s`.
function isPlaceholder(value: string): boolean {
  if (!'[*$<{%xX'.includes(value[0]!)) return false
  return /^(?:\[[A-Z_]+\]|\*+|\$\{?.*|\{.*\}|<.*|%s|x{3,})$/.test(value)
}

function isOneOf(table: Uint8Array, code: number): boolean {
  return table[code] === 1
}
