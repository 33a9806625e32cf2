// The PROXY protocol, version 2: a trusted proxy says whose connection it is, once and in one way; everything else is cut.
import { createConnection, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { expect, it, onTestFinished, test } from 'vitest'
import { crc32c, readProxyHeader } from '../../../core/downstream/proxy-header.ts'
import type { Peer, Refused } from '../../../core/plugin/index.ts'
import { initialize } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway } from '../data-plane/gateway.ts'
import { createAuthority } from './certificates.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

interface Parts {
  readonly command?: number
  readonly family?: number
  readonly body?: Buffer
  readonly length?: number
}

function header({ command = 0x21, family = 0x11, body = from4('203.0.113.7'), length = body.length }: Parts = {}): Buffer {
  const rest = Buffer.alloc(4)
  rest.writeUInt8(command, 0)
  rest.writeUInt8(family, 1)
  rest.writeUInt16BE(length, 2)
  return Buffer.concat([SIGNATURE, rest, body])
}

function from4(source: string): Buffer {
  return Buffer.from([...source.split('.').map(Number), 127, 0, 0, 1, 0x30, 0x39, 0x0c, 0x1c])
}
const from6 = (source: string): Buffer =>
  Buffer.concat([Buffer.from(source, 'hex'), Buffer.alloc(15), Buffer.from([1]), Buffer.from([1, 2, 3, 4])])
const extra = (type: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value])

function withSum(body: Buffer): Buffer {
  const blank = header({ body: Buffer.concat([body, extra(3, Buffer.alloc(4))]) })
  blank.writeUInt32BE(crc32c(blank), blank.length - 4)
  return blank
}

it.each([
  ['IPv4', header(), '203.0.113.7'],
  ['IPv6', header({ family: 0x21, body: from6('20010db8000000000000000000000007') }), '2001:db8::7'],
  ['IPv4 in IPv6', header({ family: 0x21, body: from6('00000000000000000000ffffcb007107') }), '203.0.113.7'],
  [
    'extras',
    header({ body: Buffer.concat([from4('203.0.113.7'), extra(1, Buffer.from('h2')), extra(0x20, Buffer.alloc(300))]) }),
    '203.0.113.7',
  ],
  ['a checksum', withSum(from4('203.0.113.7')), '203.0.113.7'],
  ['LOCAL', header({ command: 0x20, family: 0, body: Buffer.alloc(0) }), undefined],
  ['LOCAL with an address, which counts for nothing', header({ command: 0x20 }), undefined],
])('%s is read', (_, bytes, client) => {
  const read = readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))
  expect(read).toEqual({ kind: 'header', length: bytes.length, ...(client !== undefined && { client }) })
})

const bad: [string, Buffer, RegExp][] = [
  ['version 1', Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n'), /version 1 is not accepted/],
  ['an HTTP request', Buffer.from('POST /mcp HTTP/1.1\r\nhost: localhost\r\n'), /no header/],
  ['a TLS handshake', Buffer.from('160301020001', 'hex'), /no header/],
  ['version 3', header({ command: 0x31 }), /version 3/],
  ['an unknown command', header({ command: 0x22 }), /command 2/],
  ['an unspecified family', header({ family: 0 }), /not TCP/],
  ['UDP', header({ family: 0x12 }), /not TCP/],
  ['a Unix socket', header({ family: 0x31, body: Buffer.alloc(216) }), /not TCP/],
  ['addresses that are cut short', header({ body: Buffer.alloc(11) }), /cut short/],
  ['IPv4 that says IPv6', header({ family: 0x21 }), /cut short/],
  ['an extra that is cut short', header({ body: Buffer.concat([from4('203.0.113.7'), Buffer.from([1, 0])]) }), /extra/],
  ['an extra that is longer than the header', header({ body: Buffer.concat([from4('203.0.113.7'), Buffer.from([1, 0, 9, 0])]) }), /extra/],
  ['a wrong checksum', header({ body: Buffer.concat([from4('203.0.113.7'), extra(3, Buffer.alloc(4))]) }), /checksum/],
  ['a header that would never end', header({ length: 65_535 }), /too long/],
]
it.each(bad)('%s is refused', (_, bytes, why) => {
  expect(readProxyHeader(bytes)).toEqual({ kind: 'bad', why: expect.stringMatching(why) })
})

it('the sum is that of CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

it('a header in pieces asks for more until it is whole; arbitrary bytes are refused, or ask for more within the bound', () => {
  const whole = withSum(from4('203.0.113.7'))
  for (let at = 0; at < whole.length; at++) expect(readProxyHeader(whole.subarray(0, at))).toEqual({ kind: 'more' })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, signed) => {
      const given = signed ? Buffer.concat([SIGNATURE, bytes]) : Buffer.from(bytes)
      const read = readProxyHeader(given)
      if (read.kind === 'header') expect(read.length).toBeLessThanOrEqual(given.length)
      if (read.kind === 'more') expect(given.length).toBeLessThan(16 + 2048)
    }),
  )
})

interface Place {
  readonly gateway: TestGateway
  readonly peers: Peer[]
  readonly greeted: Peer[]
  readonly refused: Refused[]
}

async function start(listen: Parameters<typeof startTestGateway>[0]['listen'] = {}): Promise<Place> {
  const [peers, greeted, refused]: [Peer[], Peer[], Refused[]] = [[], [], []]
  const watcher = plugin('watcher', [], {
    onConnection(peer) {
      greeted.push(peer)
      return { kind: 'pass' }
    },
    onRequest({ peer }) {
      peers.push(peer)
      return { kind: 'pass' }
    },
    onRefused: one => void refused.push(one),
  })
  const gateway = await startTestGateway({
    servers: [],
    plugins: [watcher],
    listen: { proxyProtocol: true, trustedProxies: ['127.0.0.1', '10.0.0.0/8'], ...listen },
  })
  onTestFinished(() => gateway.stop())
  return { gateway, peers, greeted, refused }
}

const opening = initialize('2025-06-18', '{}')
const request = (more = ''): string =>
  `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\ncontent-length: ${opening.length}\r\n${more}\r\n${opening}`

/** The status of the first answer; undefined where the connection is cut without one. */
function status(socket: Socket): Promise<number | undefined> {
  onTestFinished(() => void socket.destroy())
  return new Promise(resolve => {
    let got = ''
    socket.on('data', chunk => {
      got += chunk
      const found = /^HTTP\/1\.1 (\d{3})/.exec(got)
      if (found) resolve(Number(found[1]))
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(undefined))
  })
}

function dial({ gateway }: Place, ...parts: (Buffer | string)[]): Promise<number | undefined> {
  const socket = createConnection(gateway.port, '127.0.0.1')
  for (const part of parts) socket.write(part)
  return status(socket)
}
const seen = (peers: readonly Peer[]): unknown[] => peers.map(({ ip, proxies }) => ({ ip, proxies }))

test('the address that the header gives is that of the client, greeted before its first request', async () => {
  const place = await start()
  expect(await dial(place, header(), request())).toBe(200)
  expect(seen(place.peers)).toEqual([{ ip: '203.0.113.7', proxies: ['127.0.0.1'] }])
  expect(seen(place.greeted)).toEqual([{ ip: '203.0.113.7', proxies: ['127.0.0.1'] }])
})

test('X-Forwarded-For counts behind a header only where that names a trusted proxy itself', async () => {
  const place = await start()
  expect(await dial(place, header(), request('x-forwarded-for: 1.2.3.4\r\n'))).toBe(200)
  expect(await dial(place, header({ body: from4('10.1.1.1') }), request('x-forwarded-for: 9.9.9.9, 1.2.3.4\r\n'))).toBe(200)
  expect(seen(place.peers)).toEqual([
    { ip: '203.0.113.7', proxies: ['127.0.0.1'] },
    { ip: '1.2.3.4', proxies: ['127.0.0.1', '10.1.1.1'] },
  ])
})

test('LOCAL is the proxy itself, and a header may come byte by byte', async () => {
  const place = await start()
  expect(await dial(place, header({ command: 0x20, body: Buffer.alloc(0) }), request())).toBe(200)
  const socket = createConnection(place.gateway.port, '127.0.0.1').setNoDelay()
  const answered = status(socket)
  for (const byte of header()) {
    socket.write(Buffer.from([byte]))
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  socket.write(request())
  expect(await answered).toBe(200)
  expect(seen(place.peers)).toEqual([
    { ip: '127.0.0.1', proxies: undefined },
    { ip: '203.0.113.7', proxies: ['127.0.0.1'] },
  ])
})

test.each(bad)('%s from a trusted proxy cuts the connection, and is on record', async (_, bytes, why) => {
  const place = await start()
  expect(await dial(place, bytes, request())).toBe(undefined)
  expect(place.refused).toMatchObject([{ code: 'invalid-request', reason: expect.stringMatching(why), ip: '127.0.0.1' }])
  expect([place.peers, place.greeted]).toEqual([[], []])
})

test('a header that does not come in time, or is cut short, cuts the connection', async () => {
  const place = await start()
  const slow = dial(place, header().subarray(0, 20))
  const socket = createConnection(place.gateway.port, '127.0.0.1')
  socket.end(header().subarray(0, 14))
  expect(await status(socket)).toBe(undefined)
  expect(await slow).toBe(undefined)
  expect(place.refused.map(({ reason }) => reason)).toEqual(['PROXY protocol: cut short', 'PROXY protocol: not there in time'])
})

test('a header from anybody else is no header: it is not HTTP, and refused as such', async () => {
  const place = await start({ trustedProxies: ['10.0.0.0/8'] })
  expect(await dial(place, header(), request())).toBe(400)
  expect(place.peers).toEqual([])
  expect(await dial(place, request())).toBe(200)
  expect(seen(place.peers)).toEqual([{ ip: '127.0.0.1', proxies: undefined }])
})

test('a second header on the same connection is not HTTP', async () => {
  const place = await start()
  expect(await dial(place, header(), header({ body: from4('9.9.9.9') }), request())).toBe(400)
  expect(place.peers).toEqual([])
  expect(place.refused).toMatchObject([{ ip: '203.0.113.7' }])
})

test('in front of TLS too: the client keeps its address and its certificate', async () => {
  const authority = createAuthority()
  const [own, robot] = [authority.issue('own'), authority.issue('robot')]
  const tls = {
    cert: own.cert,
    key: own.key,
    ca: authority.ca,
    root: authority.dir,
    clientCertificates: 'required',
    minVersion: '1.2',
  } as const
  const place = await start({ tls })
  const shake = (...start: Buffer[]): Promise<number | undefined> => {
    const raw = createConnection(place.gateway.port, '127.0.0.1')
    for (const part of start) raw.write(part)
    raw.on('error', () => {})
    const socket = connectTls({ socket: raw, ca: authority.pem, servername: 'localhost', ...robot.pem })
    const answered = status(socket)
    socket.write(request())
    return answered
  }
  expect(await shake(header())).toBe(200)
  expect(seen(place.peers)).toEqual([{ ip: '203.0.113.7', proxies: ['127.0.0.1'] }])
  expect(place.peers[0]?.certificate?.commonName).toBe('robot')
  expect(seen(place.greeted)).toEqual(seen(place.peers))
  expect(await shake()).toBe(undefined)
  expect(place.refused).toMatchObject([{ reason: 'PROXY protocol: no header' }])
})

test('of one address so many connections are open, of all together so many; a trusted proxy counts only among all', async () => {
  const place = await start({ proxyProtocol: false, trustedProxies: [], connections: { total: 5, perAddress: 3 } })
  const held = Array.from({ length: 3 }, () => createConnection(place.gateway.port, '127.0.0.1'))
  onTestFinished(() => held.forEach(socket => void socket.destroy()))
  await Promise.all(held.map(socket => new Promise(resolve => socket.once('connect', resolve))))
  expect(await dial(place, request())).toBe(undefined)
  expect(place.refused).toMatchObject([{ code: 'rate-limited', reason: 'too many connections', ip: '127.0.0.1' }])
  held.pop()!.destroy()
  let again: number | undefined
  while (again === undefined) again = await dial(place, request())
  expect(again).toBe(200)

  const behind = await start({ proxyProtocol: false, connections: { total: 5, perAddress: 1 } })
  const many = Array.from({ length: 5 }, () => createConnection(behind.gateway.port, '127.0.0.1'))
  onTestFinished(() => many.forEach(socket => void socket.destroy()))
  await Promise.all(many.map(socket => new Promise(resolve => socket.once('connect', resolve))))
  expect(await dial(behind, request())).toBe(undefined)
  expect(behind.refused).toHaveLength(1)
})
