// E-mail addresses: an unquoted local part, and a domain that ends in letters.
import { digits, isAlphanumeric, isDigit, letters, tableOf } from '../characters.ts'
import type { MarkDetector, Range } from '../detector.ts'

const local = tableOf(`${letters}${digits}.%+-_~`)
const longestLocal = 64
const longestDomain = 255

export const email: MarkDetector = { id: 'email', action: 'replace', on: 'mark', mark: '@', find: findAddress }

function findAddress(text: string, at: number, floor: number): Range | undefined {
  let start = at
  while (start > floor && at - start < longestLocal && isLocal(text.charCodeAt(start - 1))) start--
  while (start < at && text.charCodeAt(start) === 0x2e) start++
  const end = endOfDomain(text, at + 1)
  if (start === at || end < 0) return undefined
  // git@host:path names a repository.
  if (at - start === 3 && text.startsWith('git', start)) return undefined
  return { start, end }
}

function isLocal(code: number): boolean {
  return code < 128 ? local[code] === 1 : isAccented(code)
}

// Latin letters with accents; other scripts end an address, because there words stand without spaces around it.
function isAccented(code: number): boolean {
  return code >= 0xc0 && code <= 0x24f && code !== 0xd7 && code !== 0xf7
}

/** Offset after the last label, which has two letters or more; -1 where there is no domain. */
function endOfDomain(text: string, from: number): number {
  const limit = Math.min(text.length, from + longestDomain)
  let labels = 0
  let end = -1
  let digitsOnly = 0
  for (let i = from; i < limit; ) {
    const start = i
    let lettersOnly = true
    let numeric = true
    while (i < limit) {
      const code = text.charCodeAt(i)
      if (isDigit(code)) lettersOnly = false
      else if (isAlphanumeric(code) || isAccented(code)) numeric = false
      else if (code === 0x2d && i > start) lettersOnly = numeric = false
      else break
      i++
    }
    if (i === start) break
    labels++
    if (numeric) digitsOnly++
    // lodash@4.17.21.tgz is a version, logo@2x.png a picture.
    if (digitsOnly > 1 || (labels === 1 && i - start === 2 && text.charCodeAt(i - 1) === 0x78 && isDigit(text.charCodeAt(start)))) return -1
    if (labels > 1 && lettersOnly && i - start > 1) end = i
    else if (labels > 1 && text.startsWith('xn--', start)) end = i
    if (text.charCodeAt(i) !== 0x2e) break
    i++
  }
  return end
}
