// Compiles the shapes of all number detectors into one tree, so that a row of digits is compared with all of them at once.
import { gap, type NumberDetector, type Run, type Span } from './detector.ts'
import { isFree } from './detectors/surroundings.ts'

interface Leaf {
  readonly detector: NumberDetector
  readonly index: number
  readonly named: boolean
}
interface Node {
  /** By `(gap << 5) | size` of the next group. */
  readonly next: (Node | undefined)[]
  readonly leaves: Leaf[]
}

const largest = 19
/** What `~` stands for, in a tree of its own: there it does not matter which it is. */
const loose = 7
const gapOf: Readonly<Record<string, number>> = { ' ': gap.space, '-': gap.dash, '.': gap.dot, '~': loose }

export interface Numbers {
  /** No finding has fewer digits than this. */
  readonly fewest: number
  /** Adds every finding; of those of one detector that start alike, the longest. */
  examine(run: Run, isNamed: (detector: NumberDetector, at: number) => boolean, spans: Span[]): void
}

export function compileNumbers(detectors: readonly NumberDetector[]): Numbers {
  const exact = grow(detectors, shape => !shape.includes('~'))
  const lenient = grow(detectors, shape => shape.includes('~'))
  /** For each detector the group that its last finding ends before. */
  const until = new Int32Array(detectors.length)
  const hits: { leaf: Leaf; last: number }[] = []

  function collect(run: Run, first: number, root: Node, isLoose: boolean): void {
    const from = run.firsts[first]!
    let node = stepTo(root, gap.none, run, first)
    for (let last = first; node !== undefined; ) {
      for (const leaf of node.leaves) {
        if (until[leaf.index]! > first) continue
        const size = run.firsts[last]! - from + run.ends[last]! - run.starts[last]!
        if (isSingle(run, last) && isSingle(run, last + 1)) continue
        if (leaf.detector.passes(run.digits, from, size, run, first)) keep(leaf, last)
      }
      if (last + 1 >= run.groups) return
      const between = run.gaps[last]!
      node = stepTo(node, isLoose && between !== gap.dot ? loose : between, run, ++last)
    }
  }

  function keep(leaf: Leaf, last: number): void {
    const shorter = hits.find(hit => hit.leaf.detector === leaf.detector)
    if (shorter === undefined) hits.push({ leaf, last })
    else Object.assign(shorter, { leaf, last })
  }

  return {
    fewest: Math.min(...detectors.flatMap(shapesOf).map(shape => sizesOf(shape).reduce((sum, size) => sum + size, 0))),
    examine(run, isNamed, spans) {
      until.fill(0)
      for (let first = 0; first < run.groups; first++) {
        if (hits.length > 0) hits.length = 0
        collect(run, first, exact, false)
        // A row of single digits is one number or none: it is not searched inside, as a number in one group is not.
        if (!(isSingle(run, first - 1) && isSingle(run, first) && isSingle(run, first + 1))) collect(run, first, lenient, true)
        for (const { leaf, last } of hits) {
          const { detector } = leaf
          const start = run.starts[first]!
          const end = detector.tail?.(run.text, run.ends[last]!, run.digits, run.firsts[first]!) ?? run.ends[last]!
          if (end < 0 || !isFree(run.text, start, end, run.floor)) continue
          if (leaf.named && !isNamed(detector, start)) continue
          until[leaf.index] = last + 1
          spans.push({ start, end, detector })
        }
      }
    },
  }
}

function isSingle(run: Run, group: number): boolean {
  return group >= 0 && group < run.groups && run.ends[group]! - run.starts[group]! === 1
}

function stepTo(node: Node, between: number, run: Run, group: number): Node | undefined {
  const size = run.ends[group]! - run.starts[group]!
  return size > largest ? undefined : node.next[(between << 5) | size]
}

function grow(detectors: readonly NumberDetector[], isWanted: (shape: string) => boolean): Node {
  const root: Node = { next: [], leaves: [] }
  detectors.forEach((detector, index) => {
    for (const shape of detector.anywhere?.filter(isWanted) ?? []) add(root, shape, { detector, index, named: false })
    for (const shape of detector.named?.filter(isWanted) ?? []) add(root, shape, { detector, index, named: true })
  })
  return root
}

function add(root: Node, shape: string, leaf: Leaf): void {
  const separators = shape.match(/\D/g) ?? []
  let node = root
  sizesOf(shape).forEach((size, i) => {
    const between = i === 0 ? gap.none : gapOf[separators[i - 1]!]!
    node = node.next[(between << 5) | size] ??= { next: [], leaves: [] }
  })
  node.leaves.push(leaf)
}

function shapesOf({ anywhere = [], named = [] }: NumberDetector): readonly string[] {
  return [...anywhere, ...named]
}

function sizesOf(shape: string): readonly number[] {
  return shape.split(/\D/).map(Number)
}
