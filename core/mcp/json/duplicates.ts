// Finds a key that an object has twice, without making strings of the keys and never in quadratic time.
import { decodeString } from './tape.ts'

/** Three numbers a key: start and end between the quotes (`~end`: it has escapes), and the hash of its decoded form. */
export const keySize = 3

let table = new Int32Array(1024)

/** Index in `keys` of a key that equals an earlier one among `from`..`to`, or -1. */
export function findDuplicate(bytes: Buffer, keys: Int32Array, from: number, to: number): number {
  const count = (to - from) / keySize
  if (count > 8) return findByTable(bytes, keys, from, to, count)
  for (let later = from + keySize; later < to; later += keySize) {
    const hash = keys[later + 2]
    for (let earlier = from; earlier < later; earlier += keySize) {
      if (keys[earlier + 2] === hash && sameKey(bytes, keys, earlier, later)) return later
    }
  }
  return -1
}

function findByTable(bytes: Buffer, keys: Int32Array, from: number, to: number, count: number): number {
  const bits = 33 - Math.clz32(count)
  const size = 1 << bits
  if (table.length < size) table = new Int32Array(size)
  const slots = table
  slots.fill(0, 0, size)
  // Invariant: an attacker who finds colliding keys buys a sort, not n * n comparisons.
  let patience = 8 * count + 64
  for (let at = from; at < to; at += keySize) {
    const hash = keys[at + 2]!
    let slot = Math.imul(hash, 0x9e3779b1) >>> (32 - bits)
    for (;;) {
      const taken = slots[slot]!
      if (taken === 0) break
      if (keys[taken + 1] === hash && sameKey(bytes, keys, taken - 1, at)) return at
      if (--patience === 0) return findBySorting(bytes, keys, from, to)
      slot = (slot + 1) & (size - 1)
    }
    slots[slot] = at + 1
  }
  return -1
}

function findBySorting(bytes: Buffer, keys: Int32Array, from: number, to: number): number {
  const named: { name: string; at: number }[] = []
  for (let at = from; at < to; at += keySize) named.push({ name: decodeString(bytes, keys[at]!, keys[at + 1]!), at })
  named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.at - b.at))
  const twin = named.find((one, index) => index > 0 && named[index - 1]!.name === one.name)
  return twin === undefined ? -1 : twin.at
}

function sameKey(bytes: Buffer, keys: Int32Array, a: number, b: number): boolean {
  const startA = keys[a]!
  const endA = keys[a + 1]!
  const startB = keys[b]!
  const endB = keys[b + 1]!
  if (endA < 0 || endB < 0) return decodeString(bytes, startA, endA) === decodeString(bytes, startB, endB)
  const length = endA - startA
  if (length !== endB - startB) return false
  for (let i = 0; i < length; i++) if (bytes[startA + i] !== bytes[startB + i]) return false
  return true
}
