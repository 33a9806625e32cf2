// IP addresses: four octets that are no version, and IPv6. What names no host in particular (loopback, masks) stays.
import { isIPv6 } from 'node:net'
import { digits, isAlphanumeric, tableOf } from '../characters.ts'
import { gap, type MarkDetector, type NumberDetector, type Range, type Run } from '../detector.ts'
import { numberOf } from './checks.ts'

const id = 'ip'
const octets = [1, 2, 3].flatMap(a => [1, 2, 3].flatMap(b => [1, 2, 3].flatMap(c => [1, 2, 3].map(d => `${a}.${b}.${c}.${d}`))))
// `v1.2.3.4`, `version 1.2.3.4`, `Chrome/120.0.0.0`, `pkg@1.2.3.4`, `>=1.2.3.4`.
const version = /(?:[^a-z]v|version|release|build|[a-z]\/|[a-z]@|[<>=~!^]=|[\^~])[ :="']{0,3}$/i

export const ipv4: NumberDetector = { id, action: 'replace', on: 'number', anywhere: octets, passes: isAddress }

function isAddress(_digits: Uint8Array, _from: number, _size: number, run: Run, group: number): boolean {
  const isLonger = (group > 0 && run.gaps[group - 1] === gap.dot) || (group + 4 < run.groups && run.gaps[group + 3] === gap.dot)
  if (isLonger) return false
  for (let i = group; i < group + 4; i++) {
    const size = run.ends[i]! - run.starts[i]!
    const from = run.firsts[i]!
    if ((size > 1 && run.digits[from] === 0) || numberOf(run.digits, from, size) > 255) return false
  }
  const first = numberOf(run.digits, run.firsts[group]!, run.ends[group]! - run.starts[group]!)
  if (first === 0 || first === 127 || first === 255) return false
  const start = run.starts[group]!
  // What a version follows is a word, a slash or a sign; most addresses follow a space.
  return !version.test(run.text.slice(Math.max(run.floor, start - 12), start))
}

const longest = 45
const members = tableOf(`${digits}abcdefABCDEF:.`)

export const ipv6: MarkDetector = {
  id,
  action: 'replace',
  on: 'mark',
  mark: ':',
  hint: { offset: -1, table: tableOf(`${digits}abcdefABCDEF:`) },
  find(text, at, floor): Range | undefined {
    let start = at
    while (start > floor && at - start <= 4 && members[text.charCodeAt(start - 1)] === 1) start--
    const before = start > floor ? text.charCodeAt(start - 1) : 0
    if (isAlphanumeric(before) || members[before] === 1) return undefined
    let end = at
    while (end - start < longest && members[text.charCodeAt(end)] === 1) end++
    if (isAlphanumeric(text.charCodeAt(end)) || members[text.charCodeAt(end)] === 1) return undefined
    while (end > start && (text.charCodeAt(end - 1) === 0x2e || (text.charCodeAt(end - 1) === 0x3a && text.charCodeAt(end - 2) !== 0x3a)))
      end--
    const address = text.slice(start, end)
    // `::`, `::1` and `a::b` say nothing, or are code.
    return address.length >= 6 && /\d/.test(address) && isIPv6(address) ? { start, end } : undefined
  },
}
