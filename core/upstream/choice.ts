// Which of several takes a call: in turn, the one with the least to do, or for one caller always the same.
import type { Balance } from '../config/schema.ts'

export interface Choice {
  /** Its index; undefined where none fits. */
  next(owner: string, fits: (index: number) => boolean): number | undefined
}

/** `names`: what each is called; a name keeps its callers whatever its index is. */
export function createChoice(balance: Balance, names: readonly string[], loadOf: (index: number) => number): Choice {
  let turn = 0
  const inTurn = (better: (index: number, than: number) => boolean, fits: (index: number) => boolean): number | undefined => {
    let found: number | undefined
    for (let step = 0; step < names.length; step++) {
      const index = (turn + step) % names.length
      if (fits(index) && (found === undefined || better(index, found))) found = index
    }
    if (found !== undefined) turn = found + 1
    return found
  }
  switch (balance) {
    case 'round-robin':
      return { next: (_owner, fits) => inTurn(() => false, fits) }
    case 'least-pending':
      return { next: (_owner, fits) => inTurn((index, than) => loadOf(index) < loadOf(than), fits) }
    case 'by-principal':
      return { next: (owner, fits) => drawOf(owner, names, () => 1, fits) }
  }
}

/**
 * Rendezvous hashing: of those that fit, the same for the same owner, in proportion to the weights. Where one comes, goes or gets another
 * weight, only owners move that it takes or gives.
 */
export function drawOf(
  owner: string,
  names: readonly string[],
  weightOf: (index: number) => number,
  fits: (index: number) => boolean,
): number | undefined {
  let found: number | undefined
  let best = Number.NEGATIVE_INFINITY
  for (const [index, name] of names.entries()) {
    const weight = weightOf(index)
    if (weight <= 0 || !fits(index)) continue
    const score = -weight / Math.log(fractionOf(`${owner}\0${name}`))
    if (score <= best) continue
    best = score
    found = index
  }
  return found
}

/** Between 0 and 1, both excluded. FNV-1a, then the last steps of MurmurHash3, which spread what is alike. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32
}
