// UK national insurance numbers: a prefix in use, six digits, A to D. In pairs anywhere; together, as part numbers are too, only with a word.
import { isAlphanumeric, isDigit, tableOf } from '../characters.ts'
import type { CodeDetector, Detector, Range } from '../detector.ts'

const firsts = tableOf('ABCEGHJKLMNOPRSTWXYZ')
const seconds = tableOf('ABCEGHJKLMNPRSTWXYZ')
const unused = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'])

export const nino: CodeDetector = {
  id: 'nino',
  action: 'mask',
  on: 'code',
  words: ['nino', 'ninos', 'national insurance', 'nationalinsurance', 'nationalinsurancenumber', 'insurance number', 'ni number', 'ni no'],
  find: findNumber,
}

function findNumber(text: string, at: number, floor: number, isNamed: (detector: Detector, at: number) => boolean): Range | undefined {
  const separator = text.charCodeAt(at - 1)
  const isApart = separator === 0x20 || separator === 0x2d
  const start = at - (isApart ? 3 : 2)
  if (start < floor || (start > floor && isAlphanumeric(text.charCodeAt(start - 1)))) return undefined
  if (firsts[text.charCodeAt(start)] !== 1 || seconds[text.charCodeAt(start + 1)] !== 1) return undefined
  if (unused.has(text.slice(start, start + 2))) return undefined
  let i = at
  let gaps = isApart ? 1 : 0
  for (let count = 0; count < 6; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) count++
    else if (isApart && code === separator && count % 2 === 0 && text.charCodeAt(i - 1) !== separator) gaps++
    else return undefined
  }
  if (isApart && text.charCodeAt(i) === separator) {
    i++
    gaps++
  }
  const suffix = text.charCodeAt(i)
  if (!(suffix >= 0x41 && suffix <= 0x44) || isAlphanumeric(text.charCodeAt(i + 1))) return undefined
  return gaps === 4 || isNamed(nino, start) ? { start, end: i + 1 } : undefined
}
