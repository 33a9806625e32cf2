// A Merkle tree as in RFC 6962, section 2.1, grown leaf by leaf: what is kept of it is one hash for each bit of its size.
import { hash } from 'node:crypto'

/** 32 bytes as a binary string: half the cost of a buffer to make, and a key of maps. */
export type Hash = string

/** The roots of the largest complete subtrees, leftmost and largest first. */
export interface Tree {
  readonly size: number
  add(leaf: Hash): void
  /** Of the empty tree: SHA-256 of nothing. */
  root(): Hash
  frontier(): readonly Hash[]
}

const joined = Buffer.alloc(65)
joined[0] = 1

export function hashChildren(left: Hash, right: Hash): Hash {
  joined.write(left, 1, 'latin1')
  joined.write(right, 33, 'latin1')
  return hash('sha256', joined, 'binary')
}

/** Throws where the frontier is none of a tree of that size. */
export function createTree(size = 0, frontier: readonly Hash[] = []): Tree {
  if (frontier.length !== countOnes(size))
    throw new RangeError(`a tree of ${size} leaves has ${countOnes(size)} subtrees, not ${frontier.length}`)
  let count = size
  const subtrees = [...frontier]
  return {
    get size() {
      return count
    },
    add(leaf) {
      let node = leaf
      // Each bit of the size that is set is a complete subtree; adding one carries over as in a sum. Sizes exceed 32 bits nowhere near.
      for (let bits = count; bits % 2 === 1; bits = (bits - 1) / 2) node = hashChildren(subtrees.pop()!, node)
      subtrees.push(node)
      count += 1
    },
    root: () => rootOf(subtrees),
    frontier: () => [...subtrees],
  }
}

function rootOf(subtrees: readonly Hash[]): Hash {
  if (subtrees.length === 0) return hash('sha256', '', 'binary')
  return subtrees.reduceRight((right, left) => hashChildren(left, right))
}

function countOnes(size: number): number {
  let ones = 0
  for (let bits = size; bits > 0; bits = Math.floor(bits / 2)) ones += bits % 2
  return ones
}

export function treeOf(leaves: Iterable<Hash>): Tree {
  const tree = createTree()
  for (const leaf of leaves) tree.add(leaf)
  return tree
}

/** The audit path of RFC 6962, section 2.1.1, from the leaf's sibling up. `leaves` has all of the tree, or all behind `before`, which has the leaf not. */
export function pathOf(leaves: readonly Hash[], index: number, before: Pick<Tree, 'size' | 'frontier'> = createTree()): Hash[] {
  const size = before.size + leaves.length
  if (index < before.size || index >= size) throw new RangeError(`leaf ${index} of ${before.size} to ${size}`)
  const complete = new Map<number, { readonly end: number; readonly root: Hash }>()
  let start = 0
  for (const root of before.frontier()) {
    const end = start + largestPowerBelow(before.size - start + 1)
    complete.set(start, { end, root })
    start = end
  }
  // A subtree that begins in `before` is one of its complete ones, or is made of them and of leaves.
  const rootOf = (from: number, to: number): Hash => {
    if (from >= before.size) return treeOf(leaves.slice(from - before.size, to - before.size)).root()
    const known = complete.get(from)
    if (known?.end === to) return known.root
    const middle = from + largestPowerBelow(to - from)
    return hashChildren(rootOf(from, middle), rootOf(middle, to))
  }
  const climb = (from: number, to: number): Hash[] => {
    if (to - from === 1) return []
    const middle = from + largestPowerBelow(to - from)
    return index < middle ? [...climb(from, middle), rootOf(middle, to)] : [...climb(middle, to), rootOf(from, middle)]
  }
  return climb(0, size)
}

/** The root that leaf and path give; undefined where the path has another length than the tree. */
export function rootFromPath(leaf: Hash, index: number, size: number, path: readonly Hash[]): Hash | undefined {
  if (index >= size) return undefined
  const climb = (at: number, count: number, depth: number): Hash | undefined => {
    if (count === 1) return depth === 0 ? leaf : undefined
    const sibling = path[depth - 1]
    if (sibling === undefined) return undefined
    const left = largestPowerBelow(count)
    const below = at < left ? climb(at, left, depth - 1) : climb(at - left, count - left, depth - 1)
    if (below === undefined) return undefined
    return at < left ? hashChildren(below, sibling) : hashChildren(sibling, below)
  }
  return climb(index, size, path.length)
}

function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}
