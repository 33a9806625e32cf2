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

/** The audit path of RFC 6962, section 2.1.1, from the leaf's sibling up. `leaves` has all of the tree. */
export function pathOf(leaves: readonly Hash[], index: number): Hash[] {
  if (index < 0 || index >= leaves.length) throw new RangeError(`leaf ${index} of ${leaves.length}`)
  if (leaves.length === 1) return []
  const left = largestPowerBelow(leaves.length)
  return index < left
    ? [...pathOf(leaves.slice(0, left), index), treeOf(leaves.slice(left)).root()]
    : [...pathOf(leaves.slice(left), index - left), treeOf(leaves.slice(0, left)).root()]
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
