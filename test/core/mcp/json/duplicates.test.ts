// Duplicate keys under a hash that an attacker controls: found all the same, and not in quadratic time.
import { expect, test } from 'vitest'
import { findDuplicate, keySize } from '../../../../core/mcp/json/duplicates.ts'

/** An object with these keys as the scanner would list them, every key with the same hash. */
function colliding(names: readonly string[]): { bytes: Buffer; keys: Int32Array; end: number } {
  const keys: number[] = []
  let text = '{'
  for (const name of names) {
    const escaped = name.includes('\\')
    keys.push(text.length + 1, escaped ? ~(text.length + 1 + name.length) : text.length + 1 + name.length, 12345)
    text += `"${name}":0,`
  }
  return { bytes: Buffer.from(text), keys: Int32Array.from(keys), end: keys.length }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `key${i}`)

test.each([2, 8, 9, 100, 5000])('equal hashes of %i different keys are no duplicate', count => {
  const { bytes, keys, end } = colliding(names(count))
  expect(findDuplicate(bytes, keys, 0, end)).toBe(-1)
})

test.each([2, 8, 9, 100, 5000])('the second of two equal keys among %i is found', count => {
  for (const twin of ['key1', 'k\\u0065y1']) {
    const { bytes, keys, end } = colliding([...names(count), twin])
    expect(findDuplicate(bytes, keys, 0, end)).toBe(count * keySize)
  }
})

test('keys outside the object are not compared', () => {
  const { bytes, keys, end } = colliding(['a', 'b', 'a', 'c', 'a'])
  expect(findDuplicate(bytes, keys, keySize, end - keySize)).toBe(-1)
})

test('3,000 colliding keys need far fewer reads than comparing each with each', () => {
  const { bytes, keys, end } = colliding(names(3000))
  let reads = 0
  const counted = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  expect(findDuplicate(counted, keys, 0, end)).toBe(-1)
  expect(reads).toBeLessThan(3000 * 200)
})
