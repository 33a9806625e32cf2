// The one pass over a text: finds every span in a decoded string, or tells whether JSON text could hold one.
import { isAlphanumeric, isCapital, spanOf } from './characters.ts'
import { compileVocabulary, type IsNamed } from './context.ts'
import type { Detector, Span } from './detector.ts'
import { createRun, measureRun, readGroups } from './digit-run.ts'
import { hides, meetsEscape, touchesFloor } from './escapes.ts'
import { fold, isDisguise } from './fold.ts'
import { compileGlance } from './glance.ts'
import { compileKeys } from './keys.ts'
import { compileNumbers } from './numbers.ts'
import { type Candidate, compileTriggers, stop } from './triggers.ts'

export interface Found {
  readonly spans: readonly Span[]
  /** The text that the spans lie in: plain characters instead of disguised ones. */
  readonly text: string
  /** Offset in `text` -> offset in the text given; absent where they are the same. */
  readonly origin?: Int32Array
}

export interface Scanner {
  /** Every finding in a decoded string, sorted, maybe overlapping; `key` is the member's name. */
  find(text: string, key: string): Found
  /** False only where no string of this JSON text, decoded, has a finding. */
  screen(json: string): boolean
  /** False only where `screen` is; true also where only `screen` can tell. Asked first, as it is much cheaper. */
  glance(json: Uint8Array): boolean
}

const longestNumber = 40
const at = 0x40
const backslash = 0x5c
const slash = 0x2f
// The letters of escapes in JSON that stand for a character between words.
const breaks = new Set('bfnrt'.split('').map(letter => letter.charCodeAt(0)))

export function compileScanner(detectors: readonly Detector[]): Scanner {
  const triggers = compileTriggers(detectors)
  const { classes, slots, candidates, marks, code } = triggers
  const numbers = compileNumbers(triggers.numbers)
  const vocabulary = compileVocabulary(detectors)
  const findByKey = compileKeys(detectors)
  const run = createRun()
  /** Made for the first message: of some profiles there is never one. */
  let glance: ReturnType<typeof compileGlance> | undefined

  /** 'disguised' asks for a folded text. With `raw` the text is JSON and the first suspicion ends the scan. */
  function scan(text: string, key: string, raw: boolean, spans: Span[]): 'clean' | 'hit' | 'disguised' {
    let named: IsNamed | undefined
    const isNamed: IsNamed = (detector, offset) => {
      named ??= raw ? vocabulary.openAll(text) : vocabulary.open(text, key)
      return named(detector, offset)
    }
    /** End of the last escape of the JSON text: no value goes over it. */
    let floor = 0
    /** End of an escape that JSON text within this text would have: what stands before it is no letter. */
    let edge = 0
    let i = 0
    const end = text.length
    while (i < end) {
      const unit = text.charCodeAt(i)
      if (unit > 127) {
        if (isDisguise(unit, i > 0 ? text.charCodeAt(i - 1) : 0)) return 'disguised'
        i++
        continue
      }
      switch (classes[unit]) {
        case stop.none:
          i++
          break
        case stop.digit: {
          const start = i
          const count = measureRun(run, text, i)
          i = run.end
          const bound = start === edge ? start : floor
          if (code.length > 0 && start > bound && followsCapital(text, start)) {
            const span = findCode(text, start, boundOf(floor, edge, start), isNamed)
            if (span !== undefined) {
              if (raw) return 'hit'
              spans.push(span)
              i = Math.max(span.end, start + 1)
              break
            }
          }
          if (raw && isScaled(text, start, run.end)) return 'hit'
          if (count < numbers.fewest) break
          readGroups(run, text, start)
          run.floor = bound
          numbers.examine(run, isNamed, spans)
          if (raw && spans.length > 0) return 'hit'
          break
        }
        case stop.mark: {
          const span = findAtMark(text, i, unit, unit === at ? floor : boundOf(floor, edge, i))
          if (span !== undefined) {
            if (raw) return 'hit'
            spans.push(span)
            // The `@` that ends a password does not start an address.
            i = Math.max(i + 1, unit === at && text.charCodeAt(span.end) === at ? span.end + 1 : span.end)
          } else {
            if (raw && unit === at && (touchesFloor(text, i, floor) || meetsEscape(text, i + 1))) return 'hit'
            i++
          }
          break
        }
        case stop.backslash: {
          const next = text.charCodeAt(i + 1)
          if (!raw) {
            i += 1
            if (breaks.has(next)) edge = i + 1
            break
          }
          if (next === backslash) {
            // `\\u0040`: an escape inside a JSON document that is itself a string.
            if (text.charCodeAt(i + 2) === 0x75) return 'hit'
            if (breaks.has(text.charCodeAt(i + 2))) edge = i + 3
          }
          if (next === slash && findsAcrossSlash(text, i)) return 'hit'
          if (next === 0x75) {
            if (hides(Number.parseInt(text.slice(i + 2, i + 6), 16))) return 'hit'
            i += 6
          } else i += 2
          floor = i
          break
        }
        default: {
          const before = i > floor ? text.charCodeAt(i - 1) : 0
          const slot = slots[before > 127 ? unit : (before << 7) | unit]!
          const span = slot === 0 ? undefined : startOf(candidates[slot]!, text, i, floor, edge, raw)
          if (span === undefined) i++
          else if (raw) return 'hit'
          else {
            spans.push(span)
            i = Math.max(i + 1, span.end)
          }
        }
      }
    }
    return spans.length > 0 ? 'hit' : 'clean'
  }

  function findCode(text: string, start: number, floor: number, isNamed: IsNamed): Span | undefined {
    for (const detector of code) {
      const range = detector.find(text, start, floor, isNamed)
      if (range !== undefined) return { start: range.start, end: range.end, detector }
    }
    return undefined
  }

  function findAtMark(text: string, i: number, unit: number, floor: number): Span | undefined {
    for (const detector of marks[unit]!) {
      const { hint } = detector
      if (hint !== undefined && hint.table[text.charCodeAt(i + hint.offset)] !== 1) continue
      const range = detector.find(text, i, floor)
      if (range !== undefined) return { start: range.start, end: range.end, detector }
    }
    return undefined
  }

  // `12.ABC.345\/01DE-35`
  function findsAcrossSlash(text: string, i: number): boolean {
    return marks[slash]!.some(({ hint }) => hint === undefined || hint.table[text.charCodeAt(i + hint.offset)] === 1)
  }

  return {
    screen: json => scan(json, '', true, []) !== 'clean',
    glance(json) {
      glance ??= compileGlance(triggers)
      return glance(json)
    },
    find(text, key) {
      const whole = findByKey(text, key)
      if (whole !== undefined) return { spans: [whole], text }
      const spans: Span[] = []
      if (scan(text, key, false, spans) !== 'disguised') return { spans: sorted(spans), text }
      const folded = fold(text)
      const again: Span[] = []
      scan(folded.text, key, false, again)
      return { spans: sorted(again), ...folded }
    },
  }
}

function startOf(candidates: readonly Candidate[], text: string, i: number, floor: number, edge: number, raw: boolean): Span | undefined {
  for (const { literal, anchor, inside, detector } of candidates) {
    const start = i - anchor
    if (start < floor || !text.startsWith(literal, start)) continue
    const before = start > floor && start !== edge ? text.charCodeAt(start - 1) : 0
    if (detector.embedded !== true && (isAlphanumeric(before) || inside[before] === 1)) continue
    const from = start + literal.length
    const range = detector.find(text, start, from, boundOf(floor, edge, start))
    if (range !== undefined) return { start: range.start, end: range.end, detector }
    // Only a slash is ever escaped among the characters of a value; other escapes end it, or are suspicious themselves.
    if (raw && (detector.literalSuffices || (detector.body[slash] === 1 && text.startsWith('\\/', spanOf(text, from, detector.body)))))
      return { start, end: from, detector }
  }
  return undefined
}

function boundOf(floor: number, edge: number, before: number): number {
  return edge > floor && edge < before ? edge : floor
}

/** Directly, or with a space or a dash between. */
function followsCapital(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1)
  return isCapital(before) || ((before === 0x20 || before === 0x2d) && isCapital(text.charCodeAt(start - 2)))
}

/** Whether the run ends the mantissa of a JSON number: 4.111111111111111e15 is a value written another way. */
function isScaled(text: string, start: number, end: number): boolean {
  if ((text.charCodeAt(end) | 0x20) !== 0x65 || isAlphanumeric(text.charCodeAt(start - 1))) return false
  return /(?:^|[\s:,[])-?[\d.]{9,}[eE][+-]?\d{1,3}(?![\w.])/.test(text.slice(Math.max(0, start - longestNumber), end + 5))
}

function sorted(spans: Span[]): Span[] {
  return spans.length < 2 ? spans : spans.sort((a, b) => a.start - b.start || b.end - a.end)
}
