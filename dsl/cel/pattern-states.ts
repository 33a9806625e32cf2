// Whether a pattern has so few states that a text soon meets none that is new. The others may be slow on each character.

/** Of re2js, where the types do not show it. */
interface Instruction {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly runes: ArrayLike<number>
  matchRune(rune: number): boolean
}
interface Program {
  readonly inst: readonly Instruction[]
  readonly start: number
}

const ALT = 1
const ALT_MATCH = 2
const CAPTURE = 3
const EMPTY_WIDTH = 4
const MATCH = 6
const NOP = 7
const RUNE = 8
const RUNE1 = 9
const RUNE_ANY = 10
const RUNE_ANY_NOT_NL = 11
const KNOWN: ReadonlySet<number> = new Set([ALT, ALT_MATCH, CAPTURE, EMPTY_WIDTH, 5, MATCH, NOP, RUNE, RUNE1, RUNE_ANY, RUNE_ANY_NOT_NL])

const NEWLINE = 10
/** What comes before the first and after the last character. */
const EDGE = -1
/** Instructions looked at: what a text may cost until all states are known. */
const MOST_WORK = 30_000

/** False, too, where it cannot be told. */
export function hasFewStates(compiled: object): boolean {
  const { re2Input } = compiled as { readonly re2Input?: { readonly prog?: Program } }
  const program = re2Input?.prog
  return program?.inst.every(one => KNOWN.has(one.op)) === true && isSmall(program)
}

function isSmall({ inst, start }: Program): boolean {
  const runes = representatives(inst)
  const seen = new Set<string>()
  const waiting: { readonly pcs: readonly number[]; readonly before: number }[] = [{ pcs: [start], before: EDGE }]
  let work = 0
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const rune of runes) {
      const reached = closure(inst, state.pcs, assertionsAt(state.before, rune))
      work += reached.length
      if (work > MOST_WORK) return false
      // What has matched ends there.
      if (reached.some(pc => inst[pc]!.op === MATCH)) continue
      const next = new Set<number>([start])
      for (const pc of reached) if (takes(inst[pc]!, rune)) next.add(inst[pc]!.out)
      const pcs = [...next].sort((a, b) => a - b)
      const key = `${pcs.join()} ${kindOf(rune)}`
      if (seen.has(key)) continue
      seen.add(key)
      waiting.push({ pcs, before: rune })
    }
  }
  return true
}

function closure(inst: readonly Instruction[], pcs: readonly number[], holding: number): readonly number[] {
  const found = new Set<number>()
  const stack = [...pcs]
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    const one = inst[pc]
    if (one === undefined || found.has(pc)) continue
    found.add(pc)
    if (one.op === ALT || one.op === ALT_MATCH) stack.push(one.out, one.arg)
    else if (one.op === NOP || one.op === CAPTURE || (one.op === EMPTY_WIDTH && (one.arg & ~holding) === 0)) stack.push(one.out)
  }
  return [...found]
}

function takes(one: Instruction, rune: number): boolean {
  if (one.op === RUNE || one.op === RUNE1) return one.matchRune(rune)
  return one.op === RUNE_ANY || (one.op === RUNE_ANY_NOT_NL && rune !== NEWLINE)
}

/** One character of each kind that some instruction tells from others. */
function representatives(inst: readonly Instruction[]): readonly number[] {
  const runes = new Set<number>([0, NEWLINE, 0x2f, 0x30, 0x3a, 0x41, 0x5b, 0x5f, 0x60, 0x61, 0x7b])
  for (const { op, runes: given } of inst) {
    if (op !== RUNE && op !== RUNE1) continue
    for (let at = 0; at < given.length; at++) {
      const isEnd = given.length > 1 && at % 2 === 1
      runes.add(given[at]! + (isEnd ? 1 : 0))
      if (given.length === 1) runes.add(given[at]! + 1)
    }
  }
  return [...runes]
}

const isWord = (rune: number): boolean => rune !== EDGE && /\w/.test(String.fromCodePoint(Math.min(rune, 0x10ffff)))
const kindOf = (rune: number): string => (rune === NEWLINE ? 'n' : isWord(rune) ? 'w' : '')

/** Bits of re2js: line begins and ends, text begins and ends, at the edge of a word, not there. */
function assertionsAt(before: number, after: number): number {
  const line = (before === EDGE || before === NEWLINE ? 1 : 0) | (after === EDGE || after === NEWLINE ? 2 : 0)
  const text = (before === EDGE ? 4 : 0) | (after === EDGE ? 8 : 0)
  return line | text | (isWord(before) === isWord(after) ? 32 : 16)
}
