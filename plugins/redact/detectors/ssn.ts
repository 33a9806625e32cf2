// US social security numbers: 3-2-4 with dashes; with spaces or bare only where a word near by says so.
import type { DigitRun, DigitsDetector, Range } from '../detector.ts'
import { isFree } from './surroundings.ts'

const words = /(?:^|[^a-z])ssns?(?![a-z])|ssn(?:um|_?no|_?number)|social.{0,2}sec|soc\.? ?sec/i
const reach = 40

export const ssn: DigitsDetector = { id: 'ssn', action: 'mask', on: 'digits', names: words, find: findNumbers }

function findNumbers(run: DigitRun, named: () => boolean): readonly Range[] {
  const { text, groups } = run
  const found: Range[] = []
  for (let i = 0; i < groups.length; i++) {
    const first = groups[i]!
    if (isBare(text, first) && isAbout(run, first.start, named) && isFree(text, first, run.floor)) {
      found.push(first)
      continue
    }
    const second = groups[i + 1]
    const third = groups[i + 2]
    if (second === undefined || third === undefined) break
    const range = { start: first.start, end: third.end }
    if (!isIssued(text.slice(first.start, first.end), text.slice(second.start, second.end), text.slice(third.start, third.end))) continue
    const dashed = text.slice(first.end, second.start).trim() === '-' && text.slice(second.end, third.start).trim() === '-'
    if (!(dashed || isAbout(run, range.start, named)) || !isFree(text, range, run.floor)) continue
    found.push(range)
    i += 2
  }
  return found
}

function isBare(text: string, { start, end }: Range): boolean {
  return end - start === 9 && isIssued(text.slice(start, start + 3), text.slice(start + 3, start + 5), text.slice(start + 5, end))
}

// The Social Security Administration has never issued area 000, 666 or 900-999, group 00, serial 0000.
export function isIssued(area: string, group: string, serial: string): boolean {
  if (area.length !== 3 || group.length !== 2 || serial.length !== 4) return false
  return area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000'
}

function isAbout({ text, floor }: DigitRun, start: number, named: () => boolean): boolean {
  return words.test(text.slice(Math.max(floor, start - reach), start)) || named()
}
