// T20: a presented key goes into its digest and nowhere else, so that neither time nor length tells anything of those that are stored.
import { createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { digestKey, mintKey } from '../../../plugins/auth/key.ts'
import { createKeyRing, makePrincipal, nameDigest, type RingKey } from '../../../plugins/auth/ring.ts'

const source = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../plugins/auth/${name}`, import.meta.url)), 'utf8').replaceAll(
    /\/\*\*.*?\*\/|\/\/[^\n]*/gs,
    '',
  )

it('the ring takes a presented key and does nothing with it but digest it', () => {
  const uses = source('ring.ts')
    .split('\n')
    .filter(line => /\bpresented\b/.test(line))
    .map(line => line.trim())
  expect(uses).toEqual(['identify(presented, now) {', 'const digest = digestKey(pepper, presented)'])
})

it('the method hands a presented key to the ring alone', () => {
  const body = /identify\(\{ value \}, now\) \{(.*?)\n {4}\}/s.exec(source('keys-method.ts'))?.[1]
  expect(body?.match(/\bvalue\b.*/g)).toEqual(['value, now)'])
})

it('100,000 keys are less than 100 MB, and each is found', () => {
  const pepper = createSecretKey(randomBytes(32))
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  const minted = Array.from({ length: 100_000 }, () => mintKey())
  const keys = minted.map(({ id, key }, i): RingKey => {
    const via = { method: 'api-key', keyId: id }
    return { id, digest: nameDigest(digestKey(pepper, key)), principal: makePrincipal(`agent-${i}`, `Agent ${i}`, ['reader'], 'acme', via) }
  })
  const ring = createKeyRing(pepper, keys)
  for (let i = 0; i < minted.length; i += 997) expect(ring.identify(minted[i]!.key, 0)).toMatchObject({ principal: { id: `agent-${i}` } })
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024)
})
