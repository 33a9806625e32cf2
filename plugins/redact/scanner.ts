// The one pass over a text: finds every span in a decoded string, or tells whether JSON text could hold one.
import { isAlphanumeric, isCapital, isDigit, spanOf } from './characters.ts'
import type { Detector, DigitRun, DigitsDetector, Range, Span } from './detector.ts'
import { hides, meetsEscape, touchesFloor } from './escapes.ts'
import { fold, isDisguise } from './fold.ts'
import { compileGlance } from './glance.ts'
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

const fewestDigits = 9
const widestSeparator = 3
const longestNumber = 40

export function compileScanner(detectors: readonly Detector[]): Scanner {
  const triggers = compileTriggers(detectors)
  const { classes, slots, candidates, at, digits, code } = triggers

  /** 'disguised' asks for a folded text. With `raw` the text is JSON and the first suspicion ends the scan. */
  function scan(text: string, key: string, raw: boolean, spans: Span[]): 'clean' | 'hit' | 'disguised' {
    let about: ReturnType<typeof askOnce> | undefined
    let floor = 0
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
          const run = readRun(text, i)
          i = run.end
          if (start > floor && code.length > 0 && isCapital(text.charCodeAt(start - 1))) {
            const found = firstOf(code, text, start, floor)
            if (found !== undefined) {
              if (raw) return 'hit'
              spans.push(found)
              i = found.end
              break
            }
          }
          if (raw && isScaled(text, start, run.end)) return 'hit'
          if (run.count < fewestDigits) break
          if (digits.length === 0) break
          about ??= askOnce(raw ? text : key)
          if (examine({ text, groups: splitRun(text, start, run.end), floor }, about, spans) && raw) return 'hit'
          break
        }
        case stop.at: {
          const found = firstOf(at, text, i, floor)
          if (found !== undefined) {
            if (raw) return 'hit'
            spans.push(found)
            // The `@` that ends a password does not start an address.
            i = Math.max(i + 1, text.charCodeAt(found.end) === 0x40 ? found.end + 1 : found.end)
          } else {
            if (raw && at.length > 0 && (touchesFloor(text, i, floor) || meetsEscape(text, i + 1))) return 'hit'
            i++
          }
          break
        }
        case stop.backslash: {
          if (!raw) {
            i++
            break
          }
          const next = text.charCodeAt(i + 1)
          // `\\u0040`: an escape inside a JSON document that is itself a string.
          if (next === 0x5c && text.charCodeAt(i + 2) === 0x75) return 'hit'
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
          const found = slot === 0 ? undefined : startOf(candidates[slot]!, text, i, floor, raw)
          if (found === undefined) i++
          else if (raw) return 'hit'
          else {
            spans.push(found)
            i = Math.max(i + 1, found.end)
          }
        }
      }
    }
    return spans.length > 0 ? 'hit' : 'clean'
  }

  function examine(run: DigitRun, about: (detector: DigitsDetector) => boolean, spans: Span[]): boolean {
    for (const detector of digits) {
      for (const range of detector.find(run, () => about(detector))) spans.push({ ...range, detector })
    }
    return spans.length > 0
  }

  return {
    screen: json => scan(json, '', true, []) !== 'clean',
    glance: compileGlance(triggers),
    find(text, key) {
      const spans: Span[] = []
      if (scan(text, key, false, spans) !== 'disguised') return { spans: sorted(spans), text }
      const folded = fold(text)
      const again: Span[] = []
      scan(folded.text, key, false, again)
      return { spans: sorted(again), ...folded }
    },
  }
}

/** Whether `text` speaks of a detector; looked up at most once for each. */
function askOnce(text: string): (detector: DigitsDetector) => boolean {
  const answers = new Map<DigitsDetector, boolean>()
  return detector => {
    const known = answers.get(detector)
    if (known !== undefined) return known
    const answer = detector.names?.test(text) ?? false
    answers.set(detector, answer)
    return answer
  }
}

function firstOf(
  detectors: readonly (Detector & { readonly on: 'at' | 'code' })[],
  text: string,
  at: number,
  floor: number,
): Span | undefined {
  for (const detector of detectors) {
    const range = detector.find(text, at, floor)
    if (range !== undefined) return { ...range, detector }
  }
  return undefined
}

function startOf(candidates: readonly Candidate[], text: string, i: number, floor: number, raw: boolean): Span | undefined {
  for (const { literal, anchor, inside, detector } of candidates) {
    const start = i - anchor
    if (start < floor || !text.startsWith(literal, start)) continue
    const before = start > floor ? text.charCodeAt(start - 1) : 0
    if (isAlphanumeric(before) || inside[before] === 1) continue
    const from = start + literal.length
    const range = detector.find(text, start, from)
    if (range !== undefined) return { ...range, detector }
    // Only a slash is ever escaped among the characters of a value; other escapes end it, or are suspicious themselves.
    if (raw && (detector.literalSuffices || text.startsWith('\\/', spanOf(text, from, detector.body))))
      return { start, end: from, detector }
  }
  return undefined
}

function readRun(text: string, start: number): { end: number; count: number } {
  let end = start
  let count = 0
  for (let i = start; ; ) {
    while (isDigit(text.charCodeAt(i))) {
      i++
      count++
    }
    end = i
    while (i - end < widestSeparator && isSeparator(text.charCodeAt(i))) i++
    if (i === end || !isDigit(text.charCodeAt(i))) return { end, count }
  }
}

function splitRun(text: string, start: number, end: number): readonly Range[] {
  const groups: Range[] = []
  for (let i = start; i < end; ) {
    const from = i
    while (i < end && isDigit(text.charCodeAt(i))) i++
    groups.push({ start: from, end: i })
    while (i < end && isSeparator(text.charCodeAt(i))) i++
  }
  return groups
}

function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x2d
}

/** Whether the run ends the mantissa of a JSON number: 4.111111111111111e15 is a value written another way. */
function isScaled(text: string, start: number, end: number): boolean {
  if ((text.charCodeAt(end) | 0x20) !== 0x65 || isAlphanumeric(text.charCodeAt(start - 1))) return false
  return /(?:^|[\s:,[])-?[\d.]{9,}[eE][+-]?\d{1,3}(?![\w.])/.test(text.slice(Math.max(0, start - longestNumber), end + 5))
}

function sorted(spans: Span[]): Span[] {
  return spans.length < 2 ? spans : spans.sort((a, b) => a.start - b.start || b.end - a.end)
}
