// Functions on text: positions are code points, letters of other scripts are left alone, and work is paid for by length.
import { bool, type CelType, int, list, string } from './cel-type.ts'
import { binary, type Overload, ternary, unary } from './overload.ts'
import { type Run, sizeLimit } from './run.ts'

const texts: CelType = list(string)

/** Looking for a text in another may cost their product. */
const searchable = (text: string, part: string, run: Run): boolean =>
  run.charge((text.length >> 6) + Math.floor((text.length * part.length) / 1024))

/** Code points, but for text that has no others cheaply. */
function points(text: string, run: Run): readonly string[] | undefined {
  return run.charge(text.length) ? Array.from(text) : undefined
}

function countPoints(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at)!
    if (point > 0xffff) at++
    count++
  }
  return count
}

function substring(text: string, from: bigint, to: bigint | undefined, run: Run): string | undefined {
  const all = points(text, run)
  const end = to ?? BigInt(all?.length ?? 0)
  if (all === undefined || from < 0n || end < from || end > BigInt(all.length)) return undefined
  return all.slice(Number(from), Number(end)).join('')
}

function indexOf(text: string, part: string, from: bigint | undefined, last: boolean, run: Run): bigint | undefined {
  const all = points(text, run)
  const sought = points(part, run)
  if (all === undefined || sought === undefined) return undefined
  const start = from === undefined ? (last ? all.length : 0) : Number(from)
  if (start < 0 || start > all.length) return undefined
  const matches = (at: number): boolean => {
    let same = 0
    while (same < sought.length && all[at + same] === sought[same]) same++
    return !run.charge(same >> 4) || same === sought.length
  }
  const final = all.length - sought.length
  if (last) {
    for (let at = Math.min(start, final); at >= 0; at--) if (matches(at)) return BigInt(at)
  } else {
    for (let at = start; at <= final; at++) if (matches(at)) return BigInt(at)
  }
  return -1n
}

function split(text: string, by: string, limit: bigint, run: Run): readonly string[] | undefined {
  if (limit === 0n) return []
  if (!searchable(text, by, run) || !run.charge(by === '' ? text.length : text.length >> 1)) return undefined
  const parts = by === '' ? Array.from(text) : text.split(by)
  if (limit < 0n || BigInt(parts.length) <= limit) return parts
  const kept = Number(limit) - 1
  return [...parts.slice(0, kept), parts.slice(kept).join(by)]
}

function joined(parts: readonly unknown[], by: string, run: Run): string | undefined {
  if (!run.charge(parts.length) || !parts.every(one => typeof one === 'string')) return undefined
  const length = parts.reduce((sum: number, one) => sum + one.length + by.length, 0)
  return length <= sizeLimit && run.charge(length >> 6) ? parts.join(by) : undefined
}

const space = /\p{White_Space}/u

function trim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && space.test(text[from]!)) from++
  while (to > from && space.test(text[to - 1]!)) to--
  return text.slice(from, to)
}

const ascii = (text: string, letters: RegExp, to: (some: string) => string, run: Run): string | undefined => {
  if (!run.charge(text.length >> 3)) return undefined
  // Letters of other scripts are left alone, one run of ASCII letters after the other.
  if (isAscii.test(text)) return to(text)
  return run.charge(text.length >> 1) ? text.replace(letters, to) : undefined
}
const isAscii = /^[\0-\x7f]*$/

export const textFunctions: readonly Overload[] = [
  ...(['function', 'method'] as const).flatMap(style => [
    unary(style, 'size', 'string', int, (a, run) => (run.charge(a.length >> 4) ? BigInt(countPoints(a)) : undefined)),
    unary(style, 'size', 'list', int, a => BigInt(a.length)),
    unary(style, 'size', 'map', int, a => BigInt(a.size)),
  ]),
  binary('method', 'startsWith', ['string', 'string'], bool, (a, b, run) => run.charge(b.length >> 8) && a.startsWith(b)),
  binary('method', 'endsWith', ['string', 'string'], bool, (a, b, run) => run.charge(b.length >> 8) && a.endsWith(b)),
  binary('method', 'contains', ['string', 'string'], bool, (a, b, run) => searchable(a, b, run) && a.includes(b)),
  unary('method', 'lowerAscii', 'string', string, (a, run) => ascii(a, /[A-Z]+/g, some => some.toLowerCase(), run)),
  unary('method', 'upperAscii', 'string', string, (a, run) => ascii(a, /[a-z]+/g, some => some.toUpperCase(), run)),
  unary('method', 'trim', 'string', string, (a, run) => (run.charge(a.length >> 2) ? trim(a) : undefined)),
  binary('method', 'charAt', ['string', 'int'], string, (a, at, run) => {
    const all = points(a, run)
    return all === undefined || at < 0n || at > BigInt(all.length) ? undefined : (all[Number(at)] ?? '')
  }),
  binary('method', 'substring', ['string', 'int'], string, (a, from, run) => substring(a, from, undefined, run)),
  ternary('method', 'substring', ['string', 'int', 'int'], string, substring),
  binary('method', 'indexOf', ['string', 'string'], int, (a, b, run) => indexOf(a, b, undefined, false, run)),
  ternary('method', 'indexOf', ['string', 'string', 'int'], int, (a, b, from, run) => indexOf(a, b, from, false, run)),
  binary('method', 'lastIndexOf', ['string', 'string'], int, (a, b, run) => indexOf(a, b, undefined, true, run)),
  ternary('method', 'lastIndexOf', ['string', 'string', 'int'], int, (a, b, from, run) => indexOf(a, b, from, true, run)),
  binary('method', 'split', ['string', 'string'], texts, (a, by, run) => split(a, by, -1n, run)),
  ternary('method', 'split', ['string', 'string', 'int'], texts, split),
  unary('method', 'join', 'list', string, (a, run) => joined(a, '', run)),
  binary('method', 'join', ['list', 'string'], string, joined),
]
