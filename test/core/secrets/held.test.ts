// Tokens that are good for a while: looked for as long as somebody holds them, by their end where they are long.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KnownSecrets } from '../../../core/secrets.ts'

const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{8,400}$/)
const scrub = (secrets: KnownSecrets, text: string): string => Buffer.from(secrets.scrub(Buffer.from(text))).toString()

it('a token is taken out whole while it is held, whatever its length and spelling, and not after', () => {
  fc.assert(
    fc.property(token, fc.stringMatching(/^[ <>|]{1,10}$/), (value, around) => {
      const secrets = new KnownSecrets()
      const release = secrets.hold('crm', value)
      for (const form of [value, Buffer.from(value).toString('hex'), encodeURIComponent(value), Buffer.from(value).toString('base64url')]) {
        const text = `${around}${form}${around}`
        const out = scrub(secrets, text)
        expect(out).toContain('[SECRET crm]')
        // Of base64 the last character may hold bits of what stands behind it.
        expect(out.replace('[SECRET crm]', '').length).toBeLessThanOrEqual(2 * around.length + 4)
      }
      release()
      release()
      expect(scrub(secrets, `${around}${value}`)).toBe(`${around}${value}`)
    }),
  )
})

it('a token that two hold is looked for until both have let go, and a configured secret for ever', () => {
  const secrets = new KnownSecrets()
  secrets.add('crm', 'a-configured-secret')
  const releases = [secrets.hold('crm', 'token-of-both'), secrets.hold('crm', 'token-of-both'), secrets.hold('crm', 'a-configured-secret')]
  releases[0]!()
  expect(scrub(secrets, 'token-of-both')).toBe('[SECRET crm]')
  for (const release of releases) release()
  expect(scrub(secrets, 'token-of-both a-configured-secret')).toBe('token-of-both [SECRET crm]')
})
