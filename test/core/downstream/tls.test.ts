// HTTPS: what is spoken, whose certificate a client's is, and what a renewed certificate changes: the next handshake, and nothing that stands.
import { chmodSync, copyFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { TlsConfig } from '../../../core/config/schema.ts'
import { readNames } from '../../../core/downstream/client-certificate.ts'
import { createHealth } from '../../../core/health.ts'
import type { Peer, Refused } from '../../../core/plugin/index.ts'
import { initialize } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, until } from '../data-plane/gateway.ts'
import { type Authority, createAuthority, type Issued } from './certificates.ts'

interface Place {
  readonly gateway: TestGateway
  readonly authority: Authority
  readonly own: Issued
  readonly peers: Peer[]
  readonly refused: Refused[]
  readonly health: ReturnType<typeof createHealth>
}

const clock = { now: Date.now }

async function start(more: Partial<TlsConfig> = {}, authority = createAuthority(), own = authority.issue('own')): Promise<Place> {
  const peers: Peer[] = []
  const refused: Refused[] = []
  const health = createHealth({ clock })
  const watcher = plugin('watcher', [], {
    onRequest({ peer }) {
      peers.push(peer)
      return { kind: 'pass' }
    },
    onRefused: one => void refused.push(one),
  })
  const tls: TlsConfig = { cert: own.cert, key: own.key, root: authority.dir, clientCertificates: 'none', minVersion: '1.2', ...more }
  const gateway = await startTestGateway({ servers: [], plugins: [watcher], listen: { tls }, health })
  onTestFinished(() => gateway.stop())
  return { gateway, authority, own, peers, refused, health }
}

function ask({ gateway, authority }: Place, options: ConnectionOptions = {}, agent: Agent | false = false) {
  return new Promise<{ status: number; headers: Record<string, unknown>; serial: string }>((resolve, reject) => {
    const outgoing = request(
      {
        port: gateway.port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/mcp',
        agent,
        ca: authority.pem,
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...options,
      },
      response => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate()
        response.resume().on('end', () => resolve({ status: response.statusCode!, headers: response.headers, serial: serialNumber }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(initialize('2025-06-18', '{}'))
  })
}

test('a request over TLS is answered, and nothing says that a certificate was shown where none was asked for', async () => {
  const place = await start()
  const { status, headers } = await ask(place)
  expect(status).toBe(200)
  expect(headers).toMatchObject({
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  expect(headers).not.toHaveProperty('server')
  expect(headers).not.toHaveProperty('x-powered-by')
  expect(place.peers.map(({ certificate, ip }) => ({ certificate, ip }))).toEqual([{ certificate: undefined, ip: '127.0.0.1' }])
})

function shake({ gateway, authority }: Place, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', ca: authority.pem, ...options }, () => resolve(socket))
    onTestFinished(() => void socket.destroy())
    socket.on('error', reject)
  })
}

test('TLS 1.2 and 1.3 with forward secrecy are spoken, nothing older, and HTTP/1.1 only', async () => {
  const place = await start()
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await shake(place, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] })
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1'])
  }
  await expect(shake(place, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow()
  await expect(shake(place, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' })).rejects.toThrow()
  await expect(shake(place, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' })).rejects.toThrow()
  await expect(shake(place, { ALPNProtocols: ['h2'] })).rejects.toThrow()
})

test('with minVersion 1.3 TLS 1.2 is refused', async () => {
  const place = await start({ minVersion: '1.3' })
  expect((await shake(place, {})).getProtocol()).toBe('TLSv1.3')
  await expect(shake(place, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
})

test('plain HTTP on the port of TLS is cut, answered with nothing, and on record', async () => {
  const place = await start()
  const socket: Socket = createConnection(place.gateway.port, '127.0.0.1')
  let got = ''
  socket.on('data', chunk => {
    got += chunk
  })
  socket.on('error', () => {})
  socket.write('POST /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await new Promise(resolve => socket.once('close', resolve))
  expect(got).not.toContain('HTTP/')
  await until(() => place.refused.length > 0)
  expect(place.refused).toMatchObject([{ code: 'invalid-request', reason: expect.stringMatching(/^no TLS: ERR_SSL_/), ip: '127.0.0.1' }])
})

test('a refused request over TLS is told of with its address and path, as over plain HTTP', async () => {
  const place = await start()
  expect((await ask(place, { path: '/nowhere' } as ConnectionOptions)).status).toBe(404)
  expect(place.refused).toMatchObject([{ code: 'not-found', ip: '127.0.0.1', path: '/nowhere', method: 'POST' }])
})

test('a verified certificate of a client stands in its peer: fingerprint, common name and all names', async () => {
  const authority = createAuthority()
  const place = await start({ clientCertificates: 'required', ca: authority.ca }, authority)
  const names = 'DNS:robot.example,URI:spiffe://example/robot,email:robot@example.com'
  const robot = authority.issue('robot', { subject: '/O=Example/CN=robot', names })
  expect((await ask(place, robot.pem)).status).toBe(200)
  expect(place.peers[0]?.certificate).toEqual({
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    commonName: 'robot',
    names: ['DNS:robot.example', 'URI:spiffe://example/robot', 'email:robot@example.com'],
  })
})

test('where a certificate is required, none, that of another authority, and an expired one end the handshake and are on record', async () => {
  const authority = createAuthority()
  const place = await start({ clientCertificates: 'required', ca: authority.ca }, authority)
  const stranger = createAuthority().issue('robot')
  const expired = authority.issue('old', { days: -1 })
  for (const options of [{}, stranger.pem, expired.pem]) await expect(ask(place, options)).rejects.toThrow()
  await until(() => place.refused.length === 3)
  for (const { reason } of place.refused) expect(reason).toMatch(/^no TLS: /)
  expect(place.peers).toEqual([])
})

test('where a certificate is optional, only one that was verified counts; others are let in as if they had shown none', async () => {
  const authority = createAuthority()
  const place = await start({ clientCertificates: 'optional', ca: authority.ca }, authority)
  const stranger = createAuthority('test authority').issue('robot')
  const expired = authority.issue('old', { days: -1 })
  const robot = authority.issue('robot')
  for (const options of [{}, stranger.pem, expired.pem, robot.pem]) expect((await ask(place, options)).status).toBe(200)
  expect(place.peers.map(({ certificate }) => certificate?.commonName)).toEqual([undefined, undefined, undefined, 'robot'])
})

test('a certificate that has two common names has none, and its names cannot be forged through their text', async () => {
  const authority = createAuthority()
  const place = await start({ clientCertificates: 'required', ca: authority.ca }, authority)
  const two = authority.issue('two', { subject: '/CN=admin/CN=robot', names: 'URI:http://evil/?DNS:admin.example' })
  expect((await ask(place, two.pem)).status).toBe(200)
  expect(place.peers[0]?.certificate).toMatchObject({ names: ['URI:http://evil/?DNS:admin.example'] })
  expect(place.peers[0]?.certificate).not.toHaveProperty('commonName')
})

test('a name is never read as two, however it is written', () => {
  expect(readNames('DNS:"a.example, DNS:b.example"')).toEqual(['DNS:a.example, DNS:b.example'])
  expect(readNames('DNS:a.example, IP Address:10.0.0.1')).toEqual(['DNS:a.example', 'IP Address:10.0.0.1'])
  expect(readNames('')).toEqual([])
  expect(readNames('DNS:a.example, "DNS:b.example"')).toBe(undefined)
  expect(readNames('DNS:"a.example')).toBe(undefined)
  const name = fc.string({ minLength: 1 }).filter(text => !/^\s|[\n\r]/.test(text))
  fc.assert(
    fc.property(fc.array(name, { maxLength: 4 }), all => {
      expect(readNames(all.map(one => `DNS:${JSON.stringify(one)}`).join(', '))).toEqual(all.map(one => `DNS:${one}`))
    }),
  )
})

test('a renewed certificate is shown from the next handshake on, and a connection that stands goes on with its own', async () => {
  const place = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const before = await ask(place, {}, agent)
  const renewed = place.authority.issue('renewed')
  copyFileSync(renewed.cert, place.own.cert)
  copyFileSync(renewed.key, place.own.key)
  await place.gateway.gateway.reload()
  expect((await ask(place, {}, agent)).serial).toBe(before.serial)
  expect((await ask(place)).serial).not.toBe(before.serial)
  expect(place.health.status).toBe('ok')
})

test('a change of the files is seen without being told', async () => {
  const place = await start()
  const before = await ask(place)
  const renewed = place.authority.issue('renewed')
  copyFileSync(renewed.key, place.own.key)
  copyFileSync(renewed.cert, place.own.cert)
  let serial = before.serial
  while (serial === before.serial) {
    await new Promise(resolve => setTimeout(resolve, 200))
    serial = (await ask(place)).serial
  }
}, 30_000)

test.each<[string, (place: Place) => void, RegExp]>([
  [
    'a key that is not that of the certificate',
    ({ own, authority }) => copyFileSync(authority.issue('other').key, own.key),
    /is not the key of/,
  ],
  ['a certificate that is none', ({ own }) => writeFileSync(own.cert, 'nothing'), /holds no certificate/],
  ['a key that is cut short', ({ own }) => writeFileSync(own.key, own.pem.key.slice(0, 60)), /holds no private key/],
  ['a key that is gone', ({ own }) => rmSync(own.key), /no such file/],
  ['a key that others may read', ({ own }) => chmodSync(own.key, 0o640), /mode 0640: others may read/],
])('%s leaves the last good pair in force, and health tells until it is mended', async (_, spoil, why) => {
  const place = await start()
  const before = await ask(place)
  spoil(place)
  await place.gateway.gateway.reload()
  expect((await ask(place)).serial).toBe(before.serial)
  expect(place.health.view()).toMatchObject({ status: 'degraded', components: [{ name: 'tls', why: expect.stringMatching(why) }] })
  writeFileSync(place.own.cert, place.own.pem.cert)
  writeFileSync(place.own.key, place.own.pem.key, { mode: 0o600 })
  chmodSync(place.own.key, 0o600)
  await place.gateway.gateway.reload()
  expect(place.health.status).toBe('ok')
})

test('an expired certificate is served, as clients say so themselves, and health tells', async () => {
  const authority = createAuthority()
  const place = await start({}, authority, authority.issue('old', { days: -1 }))
  expect(place.health.view()).toMatchObject({
    status: 'degraded',
    components: [{ name: 'tls', why: expect.stringMatching(/has expired on/) }],
  })
})

function open(dir: string, name: string, mode: number): Partial<TlsConfig> {
  chmodSync(join(dir, name), mode)
  return {}
}

test.each<[string, (authority: Authority, own: Issued) => Partial<TlsConfig>, string | RegExp]>([
  ['a key that others may read', ({ dir }) => open(dir, 'own.key', 0o644), /own\.key has mode 0644: others may read or change it/],
  ['a certificate that others may change', ({ dir }) => open(dir, 'own.pem', 0o666), /own\.pem has mode 0666: others may change it/],
  ['authorities that are none', (_, { key }) => ({ ca: key, clientCertificates: 'optional' }), /holds no certificate that can be read/],
  [
    'a key that is a link out of the folder',
    ({ dir }) => {
      symlinkSync('/etc/shadow', join(dir, 'link.key'))
      return { key: join(dir, 'link.key') }
    },
    /link\.key is a link that leads out of the folder of the config/,
  ],
])('the gateway does not start with %s', async (_, spoil, message) => {
  const authority = createAuthority()
  const own = authority.issue('own')
  await expect(start(spoil(authority, own), authority, own)).rejects.toThrow(message)
})
