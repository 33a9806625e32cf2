// Reads a row of digits and its groups, into buffers that are used again: rows are many, and most are of no interest.
import { isDigit } from './characters.ts'
import { gap, type Run } from './detector.ts'

const widest = 3

export function createRun(): Run {
  return {
    text: '',
    floor: 0,
    end: 0,
    digits: new Uint8Array(64),
    groups: 0,
    starts: new Int32Array(32),
    ends: new Int32Array(32),
    firsts: new Int32Array(32),
    gaps: new Uint8Array(32),
  }
}

/** Sets `end` of the row that starts at `start`, and returns how many digits it has. */
export function measureRun(run: Run, text: string, start: number): number {
  let count = 0
  let i = start
  for (;;) {
    while (isDigit(text.charCodeAt(i))) {
      i++
      count++
    }
    run.end = i
    i = endOfGap(text, i)
    if (i === run.end) return count
  }
}

/** Fills in the rest, for a row that was measured. */
export function readGroups(run: Run, text: string, start: number): void {
  run.text = text
  let count = 0
  let groups = 0
  for (let i = start; i < run.end; ) {
    if (groups === run.starts.length) growGroups(run)
    run.starts[groups] = i
    run.firsts[groups] = count
    for (let code = text.charCodeAt(i); isDigit(code); code = text.charCodeAt(++i)) {
      if (count === run.digits.length) run.digits = enlarge(run.digits, new Uint8Array(count * 2))
      run.digits[count++] = code - 48
    }
    run.ends[groups] = i
    const next = i < run.end ? endOfGap(text, i) : i
    run.gaps[groups++] = gapOf(text, i, next)
    i = next
  }
  run.groups = groups
}

/** Offset of the digit that goes on after a gap; `from` itself where the row ends. */
function endOfGap(text: string, from: number): number {
  let i = from
  if (text.charCodeAt(i) === 0x2e) i++
  else while (i - from < widest && isSeparator(text.charCodeAt(i))) i++
  return isDigit(text.charCodeAt(i)) ? i : from
}

function gapOf(text: string, from: number, to: number): number {
  if (from === to) return gap.none
  if (text.charCodeAt(from) === 0x2e) return gap.dot
  let dashes = 0
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === 0x2d) dashes++
  if (dashes === 0) return gap.space
  return dashes === 1 ? gap.dash : gap.mixed
}

function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x2d
}

function growGroups(run: Run): void {
  const size = run.starts.length * 2
  run.starts = enlarge(run.starts, new Int32Array(size))
  run.ends = enlarge(run.ends, new Int32Array(size))
  run.firsts = enlarge(run.firsts, new Int32Array(size))
  run.gaps = enlarge(run.gaps, new Uint8Array(size))
}

function enlarge<T extends Uint8Array | Int32Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
