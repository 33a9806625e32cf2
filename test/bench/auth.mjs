// What it costs to know a caller: API keys, tokens seen for the first time, and tokens seen before, through the plugin as it is built.
import { generateKeyPairSync, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { percentile } from './statistics.mjs'

const CALLERS = { full: 5000, quick: 1000 }
const BUILT = new URL('../../dist/plugins/auth/', import.meta.url)
const ISSUER = 'https://login.example'

/** @typedef {{ p50: number, p99: number }} Times microseconds */
/** @typedef {{ callers: number, ways: Record<'key' | 'first' | 'again', Times> }} AuthResults */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<AuthResults | undefined>}
 */
export async function benchAuth(settings) {
  if (!existsSync(new URL('index.js', BUILT))) return undefined
  settings.progress('auth')
  const callers = settings.windowFactor < 1 ? CALLERS.quick : CALLERS.full
  const { tokens, ask: askToken } = await prepareTokens(callers)
  const { keys, ask: askKey } = await prepareKeys(callers)
  await time(tokens.slice(0, callers), askToken)
  await time(keys, askKey)
  const first = await time(tokens.slice(callers), askToken)
  const again = await time(tokens.slice(callers), askToken)
  return { callers, ways: { key: await time(keys, askKey), first, again } }
}

/** One after the other; each must be let in. @param {readonly string[]} credentials @param {(credential: string) => unknown} ask */
async function time(credentials, ask) {
  const micros = []
  for (const credential of credentials) {
    const from = performance.now()
    const answer = ask(credential)
    const { kind } = /** @type {{ kind: string }} */ (answer instanceof Promise ? await answer : answer)
    micros.push((performance.now() - from) * 1000)
    if (kind !== 'identify') throw new Error('a good credential was refused')
  }
  return { p50: percentile(micros, 0.5), p99: percentile(micros, 0.99) }
}

/** @param {string} name @returns {Promise<any>} */
const load = name => import(new URL(name, BUILT).href)

/** @param {number} callers the first half to warm up */
async function prepareTokens(callers) {
  const { createJwtMethod } = await load('jwt-method.js')
  const { issuerSchema } = await load('jwt-config.js')
  const { openFixedKeys } = await load('key-source.js')
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] }
  const config = issuerSchema.parse({ issuer: ISSUER, audience: 'gateway', jwks, claims: { roles: 'roles', tenant: 'org' } })
  const method = createJwtMethod([{ config, keys: await openFixedKeys(config, jwks, {}) }], () => 'all', Date.now)
  const iat = Math.floor(Date.now() / 1000)
  const encode = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const tokens = Array.from({ length: callers * 2 }, (_, n) => {
    const claims = {
      iss: ISSUER,
      aud: 'gateway',
      sub: `user-${n}`,
      iat,
      exp: iat + 3600,
      jti: `t-${n}`,
      roles: ['reader'],
      org: 'acme',
      scope: 'mcp',
    }
    const input = `${encode({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  })
  return { tokens, ask: await asker(method) }
}

/** @param {number} callers */
async function prepareKeys(callers) {
  const { createSecretKey, randomBytes } = await import('node:crypto')
  const { createKeyRing, makePrincipal, nameDigest } = await load('ring.js')
  const { digestKey, mintKey } = await load('key.js')
  const pepper = createSecretKey(randomBytes(32))
  const minted = Array.from({ length: callers }, () => mintKey())
  const ring = createKeyRing(
    pepper,
    minted.map(({ id, key }) => ({
      id,
      digest: nameDigest(digestKey(pepper, key)),
      principal: makePrincipal(id, undefined, [], 'default', { method: 'api-key' }),
    })),
  )
  const method = {
    name: 'api-key',
    identify: (/** @type {{ value: string }} */ { value }, /** @type {number} */ now) => ring.identify(value, now),
  }
  return { keys: minted.map(({ key }) => key), ask: await asker(method) }
}

/** @param {object} method */
async function asker(method) {
  const { authenticate } = await load('authenticate.js')
  return (/** @type {string} */ credential) => {
    const header = (/** @type {string} */ name) => (name === 'authorization' ? [`Bearer ${credential}`] : [])
    return authenticate({ direction: 'to-server', peer: { transport: 'http', path: '/mcp', header } }, [method], {}, Date.now())
  }
}
