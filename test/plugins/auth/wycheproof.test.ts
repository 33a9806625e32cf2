// The vectors of project Wycheproof for JSON Web Signatures: each is accepted or refused as they say, and every difference is one that we chose.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type Algorithm, algorithms } from '../../../plugins/auth/jwt-config.ts'
import { readParts } from '../../../plugins/auth/jwt-form.ts'
import { readKeySet } from '../../../plugins/auth/key-set.ts'
import { isSigned } from '../../../plugins/auth/signature.ts'

interface Group {
  readonly comment: string
  readonly key: Readonly<Record<string, unknown>>
  readonly tests: readonly { readonly id: number; readonly comment: string; readonly jws: string; readonly result: string }[]
}
const fixture = new URL('../../fixtures/wycheproof/json-web-signature.json', import.meta.url)
const { groups } = JSON.parse(readFileSync(fixture, 'utf8')) as { groups: readonly Group[] }

async function accepts(key: Group['key'], jws: string): Promise<boolean> {
  const set = await readKeySet({ keys: [key] }, algorithms).catch(() => undefined)
  const read = readParts(jws)
  if (set === undefined || 'why' in read) return false
  const found = set.find(read.head.kid, read.head.alg)
  return found.kind === 'key' && (await isSigned(jws, found.key, read.head.alg as Algorithm))
}

it('accepts none of those that are to be refused, and refuses of the valid ones only what is not for us', async () => {
  const counts = { accepted: 0, refused: 0 }
  const wrong: string[] = []
  const notForUs: string[] = []
  for (const { comment, key, tests } of groups) {
    for (const { id, comment: what, jws, result } of tests) {
      const accepted = await accepts(key, jws)
      counts[accepted ? 'accepted' : 'refused'] += 1
      if (accepted && result !== 'valid') wrong.push(`${id} ${comment}: ${what}`)
      if (!accepted && result === 'valid') notForUs.push(`${id} ${comment}: ${what}`)
    }
  }
  expect(wrong).toEqual([])
  // HMAC is never accepted: a secret that checks a token also makes one. In the others the key is declared for another algorithm than the header
  // names (PS256 for PS384), or for one that does not exist (ES521).
  const others = notForUs.filter(one => !isHmac(one))
  expect(notForUs.filter(isHmac)).toHaveLength(10)
  expect(others).toEqual([
    '346 rfc7520: Figure20',
    '347 rfc7520: Figure27',
    '350 rfc7520WithKeyOps: Figure20',
    '351 rfc7520WithKeyOps: Figure27',
  ])
  expect(counts).toEqual({ accepted: 32, refused: 369 })
})

const isHmac = (told: string): boolean =>
  groups.some(({ key, tests }) => key.kty === 'oct' && tests.some(({ id }) => told.startsWith(`${id} `)))
