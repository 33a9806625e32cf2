// Key sets over real HTTP, through the guarded way out: a hostile or broken server is given up on in time, and holds nobody else up.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { type ClosableOutgoing, createOutgoing } from '../../../core/outgoing/outgoing.ts'
import { type Home, makeHome, type Started } from './gateway.ts'
import { audience, issuer, makeKey, makeToken } from './tokens.ts'

const key = makeKey('k1')
const keySet = JSON.stringify({ keys: [key.jwk] })
const json = { 'content-type': 'application/json' }

let home: Home
let outgoing: ClosableOutgoing
afterEach(async () => {
  await outgoing.close()
  home.remove()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function startWith(jwks: string): Promise<Started> {
  home = makeHome()
  outgoing = createOutgoing()
  const gateway = await home.start({ jwt: [{ issuer, audience, jwks, keys: { timeout: 1 } }] }, null, outgoing)
  onTestFinished(() => gateway.stop())
  return gateway
}

const authorization = `Bearer ${makeToken(key)}`

it('keys over HTTP check tokens', async () => {
  const gateway = await startWith(`${await serve((_, response) => response.writeHead(200, json).end(keySet))}/keys`)
  expect((await gateway.present({ authorization })).kind).toBe('identify')
})

it.each<[string, string, (origin: string) => RequestListener]>([
  ['redirects to keys elsewhere', 'found 302', origin => (_, response) => response.writeHead(302, { location: `${origin}/keys` }).end()],
  [
    'sends more than 256 KiB',
    'longer than 262144 bytes',
    () => (_, response) => response.writeHead(200, json).end(' '.repeat(262_145) + keySet),
  ],
  ['sends HTML', 'another content type', () => (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(keySet)],
  [
    'sends compressed rubbish',
    'no JSON',
    () => (_, response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('\x1f\x8b'),
  ],
  [
    'breaks off',
    'UND_ERR_SOCKET',
    () => (_, response) => void response.writeHead(200, { ...json, 'content-length': 999 }).write(keySet, () => response.destroy()),
  ],
  ['never ends its answer', 'no whole answer within 1000 ms', () => (_, response) => void response.writeHead(200, json).write('{"keys":[')],
  ['never answers', 'no whole answer within 1000 ms', () => () => {}],
])('a server that %s is given up on: nobody comes in, and why is said in health', async (_, why, listener) => {
  const elsewhere = await serve((__, response) => response.writeHead(200, json).end(keySet))
  const gateway = await startWith(`${await serve(listener(elsewhere))}/keys`)
  expect(await gateway.present({ authorization })).toMatchObject({ code: 'plugin-failed', detail: expect.stringContaining(why) })
  expect(gateway.health.at(-1)).toContain(why)
})

it('nobody with an API key waits for an issuer that never answers', async () => {
  const gateway = await startWith(`${await serve(() => {})}/keys`)
  const { out } = await home.run('keys create', ['An agent', 'agent-1'])
  gateway.tick()
  const waiting = gateway.present({ authorization })
  const key = await Promise.race([gateway.present({ 'x-api-key': out }), waiting.then(() => 'later')])
  expect(key).toMatchObject({ kind: 'identify' })
  expect(await waiting).toMatchObject({ kind: 'deny' })
})
