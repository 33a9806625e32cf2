// What a token endpoint answers: only a bearer token that a header can carry is one.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readTokenAnswer } from '../../../core/credentials/token-answer.ts'

function read(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return readTokenAnswer({ status, header: name => headers[name], body: Buffer.from(text) })
}
const good = { access_token: 'abc.def-_~+/==', token_type: 'bEaReR', expires_in: 100 }

it('a good answer is read', () => {
  expect(read(good)).toEqual({ access: 'abc.def-_~+/==', lifeMs: 100_000 })
  expect(read({ ...good, refresh_token: 'r1', scope: 'a b' })).toMatchObject({ refresh: 'r1', scope: 'a b' })
})

it.each([
  ['not JSON', '<html>', 'its answer is not a JSON object'],
  ['a list', [good], 'its answer is not a JSON object'],
  ['an object with a token twice', '{"access_token":"a","token_type":"Bearer","access_token":"b"}', 'its answer is not a JSON object'],
  ['a key twice, once escaped', '{"access_token":"a","token_type":"Bearer","access_tok\\u0065n":"b"}', 'its answer is not a JSON object'],
  ['a key twice deep inside', '{"access_token":"a","token_type":"Bearer","x":[{"y":1,"y":2}]}', 'its answer is not a JSON object'],
  ['very deep', `{"access_token":"a","token_type":"Bearer","x":${'['.repeat(40)}${']'.repeat(40)}}`, 'its answer is not a JSON object'],
  ['a byte order mark first', '\ufeff{"access_token":"a","token_type":"Bearer"}', 'its answer is not a JSON object'],
  ['no token', { ...good, access_token: undefined }, 'its answer holds no access token'],
  ['an empty token', { ...good, access_token: '' }, 'its answer holds no access token'],
  ['a token with a line end', { ...good, access_token: 'a\r\nx-admin: 1' }, 'its answer holds no access token'],
  ['a token with a space', { ...good, access_token: 'a b' }, 'its answer holds no access token'],
  ['a token that is none', { ...good, access_token: 12 }, 'its answer holds no access token'],
  ['a huge token', { ...good, access_token: 'a'.repeat(16_385) }, 'its answer holds no access token'],
  ['no type', { ...good, token_type: undefined }, 'its token is not of type Bearer'],
  ['another type', { ...good, token_type: 'DPoP' }, 'its token is not of type Bearer'],
  ['a mac', { ...good, token_type: 'mac' }, 'its token is not of type Bearer'],
  ['a refresh token that is none', { ...good, refresh_token: {} }, 'its refresh token is not a text'],
])('%s is refused', (_what, body, why) => {
  expect(read(body)).toEqual({ why })
})

it.each([
  [undefined, 300_000],
  [null, 300_000],
  ['soon', 300_000],
  ['120', 120_000],
  [-5, 5000],
  [0, 5000],
  [0.5, 5000],
  [1e12, 86_400_000],
])('a life of %j is taken for %d ms', (life, lifeMs) => {
  expect(read({ ...good, expires_in: life })).toMatchObject({ lifeMs })
})

it('of a refusal the code is shown, and never its text', () => {
  const body = { error: 'invalid_client', error_description: 'the secret hunter2 is wrong' }
  expect(read(body, 401, { 'retry-after': '7' })).toEqual({
    why: 'it answers HTTP 401 invalid_client',
    error: 'invalid_client',
    retryAfterMs: 7000,
  })
  expect(read({ error: 'hunter2 is wrong!' }, 400)).toEqual({ why: 'it answers HTTP 400' })
  expect(read('x', 302, { location: 'https://elsewhere.example' })).toEqual({ why: 'it answers HTTP 302' })
})

it('whatever comes, a token that is taken fits into a header', () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), (any, access) => {
      for (const body of [any, JSON.stringify({ ...good, access_token: access })]) {
        const found = read(body)
        if ('access' in found) expect(found.access).toMatch(/^[\x21-\x7e]+$/)
      }
    }),
  )
})
