// The tree is that of RFC 6962: the same roots and paths as the recursive definition gives.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTree, pathOf, rootFromPath, treeOf } from '../../../plugins/audit/tree.ts'

const sha256 = (...parts: readonly string[]): string => createHash('sha256').update(parts.join(''), 'latin1').digest('binary')

/** RFC 6962, section 2.1, word for word; the entries are hashed already. */
function definedRoot(leaves: readonly string[]): string {
  if (leaves.length === 0) return sha256('')
  if (leaves.length === 1) return leaves[0]!
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha256('\u0001', definedRoot(leaves.slice(0, k)), definedRoot(leaves.slice(k)))
}

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('latin1'))
const leaves = fc.array(leaf, { maxLength: 70 })

test('the roots of the test vectors of certificate transparency', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const hashed = inputs.map(hex => sha256('\u0000', Buffer.from(hex, 'hex').toString('latin1')))
  const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')
  expect(hex(treeOf([]).root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(hex(treeOf(hashed.slice(0, 1)).root())).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  expect(hex(treeOf(hashed).root())).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
})

test('leaf by leaf the root is as defined, also where the tree goes on from its frontier', () => {
  fc.assert(
    fc.property(leaves, fc.nat(70), (all, cut) => {
      const first = treeOf(all.slice(0, cut))
      const rest = createTree(first.size, first.frontier())
      for (const one of all.slice(cut)) rest.add(one)
      expect(rest.root()).toBe(definedRoot(all))
      expect(rest.size).toBe(all.length)
    }),
  )
})

test('a path proves its leaf at its place in its tree, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(leaf, { minLength: 1, maxLength: 70 }), fc.nat(), leaf, (all, at, other) => {
      const index = at % all.length
      const path = pathOf(all, index)
      const root = definedRoot(all)
      expect(rootFromPath(all[index]!, index, all.length, path)).toBe(root)
      if (other !== all[index]) expect(rootFromPath(other, index, all.length, path)).not.toBe(root)
      expect(rootFromPath(all[index]!, index, all.length, [...path, other])).toBeUndefined()
      if (path.length > 0) expect(rootFromPath(all[index]!, index, all.length, path.slice(1))).toBeUndefined()
      expect(rootFromPath(all[index]!, all.length, all.length, path)).toBeUndefined()
    }),
  )
})

test('a frontier of another size is refused', () => {
  expect(() => createTree(3, [])).toThrow('a tree of 3 leaves has 2 subtrees, not 0')
})
