// Which names one pattern means that another one means too: containment and intersection, by following both at once.

/** A character, `*` that stays in a segment, or `**`. */
type Step = string | 1 | 2
const within = 1
const anything = 2
export interface Glob {
  readonly text: string
  readonly steps: readonly Step[]
  readonly literal: boolean
}

export function nameGlob(pattern: string): Glob {
  return globOf(
    pattern,
    Array.from(pattern).map(char => (char === '*' ? within : char)),
  )
}
export function uriGlob(pattern: string): Glob {
  const parts = pattern.match(/\*\*+|\*|[^*]/gu) ?? []
  return globOf(
    pattern,
    parts.map(part => (part === '*' ? within : part.startsWith('**') ? anything : part)),
  )
}
export function literalGlob(text: string): Glob {
  return globOf(text, Array.from(text))
}
export const anyText: Glob = globOf('**', [anything])

function globOf(text: string, steps: readonly Step[]): Glob {
  return { text, steps, literal: steps.every(step => typeof step === 'string') }
}

export function meansAlso(glob: Glob, text: string): boolean {
  return glob.literal ? glob.steps.join('') === text : contains(glob, literalGlob(text))
}

/** Enough for any pattern that a person writes; beyond, nothing is claimed. */
const maxStates = 5000

/** Whether `outer` is proven to mean everything that `inner` means. */
export function contains(outer: Glob, inner: Glob): boolean {
  if (inner.literal && outer.literal) return inner.text === outer.text
  if (outer.steps.length === 1 && outer.steps[0] === anything) return true
  if (outer.literal || startsApart(outer, inner)) return false
  const prefixed = byPrefix(outer, inner)
  if (prefixed !== undefined) return prefixed
  const chars = alphabet(outer, inner)
  const start = { at: closure(inner, [0]), outer: closure(outer, [0]) }
  const seen = new Set<string>()
  const open = [start]
  for (let state = open.pop(); state; state = open.pop()) {
    if (state.at.includes(inner.steps.length) && !state.outer.includes(outer.steps.length)) return false
    if (seen.size > maxStates) return false
    for (const char of chars) {
      const at = move(inner, state.at, char)
      if (at.length === 0) continue
      const next = { at, outer: move(outer, state.outer, char) }
      const key = `${next.at.join()}|${next.outer.join()}`
      if (seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return true
}

/** Whether some text is meant by both. */
export function meet(a: Glob, b: Glob): boolean {
  if (a.literal && b.literal) return a.text === b.text
  if (startsApart(a, b)) return false
  const chars = alphabet(a, b)
  const seen = new Set<string>()
  const open = [{ a: closure(a, [0]), b: closure(b, [0]) }]
  for (let state = open.pop(); state; state = open.pop()) {
    if (state.a.includes(a.steps.length) && state.b.includes(b.steps.length)) return true
    if (seen.size > maxStates) return true
    for (const char of chars) {
      const next = { a: move(a, state.a, char), b: move(b, state.b, char) }
      const key = `${next.a.join()}|${next.b.join()}`
      if (next.a.length === 0 || next.b.length === 0 || seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return false
}

function startsApart(a: Glob, b: Glob): boolean {
  const [x, y] = [a.steps[0], b.steps[0]]
  return typeof x === 'string' && typeof y === 'string' && x !== y
}

/** The most frequent form by far, `get_*`, needs no search where the other has one segment. */
function byPrefix(outer: Glob, inner: Glob): boolean | undefined {
  const length = outer.steps.length - 1
  if (outer.steps.indexOf(within) !== length || outer.steps.includes(anything)) return undefined
  if (inner.steps.includes('/') || inner.steps.includes(anything)) return undefined
  return outer.steps.every((step, i) => i === length || step === inner.steps[i])
}

/** Every character of both, `/`, and one that neither has. */
function alphabet(a: Glob, b: Glob): readonly string[] {
  return [...new Set([...a.steps, ...b.steps, '/', '\u0000'].filter(step => typeof step === 'string'))]
}
function closure(glob: Glob, states: readonly number[]): number[] {
  const all = new Set(states)
  for (const state of all) if (typeof glob.steps[state] === 'number') all.add(state + 1)
  return [...all].sort((a, b) => a - b)
}
function move(glob: Glob, states: readonly number[], char: string): number[] {
  const next = new Set<number>()
  for (const state of states) {
    const step = glob.steps[state]
    if (step === anything || (step === within && char !== '/')) next.add(state)
    else if (step === char) next.add(state + 1)
  }
  return next.size === 0 ? [] : closure(glob, [...next])
}
