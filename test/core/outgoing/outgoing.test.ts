// The gateway's own requests: they go where the operator said, or to the public internet, and nowhere else.
import type { LookupAddress } from 'node:dns'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createOutgoing, type Resolve } from '../../../core/outgoing/outgoing.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(listener: RequestListener): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    listener(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

/** Answers one lookup after the other. */
function resolving(...answers: readonly (readonly string[])[]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  const resolve = (host: string, _options: unknown, done: (error: Error | null, found: LookupAddress[]) => void): void => {
    const found = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push(host)
    done(
      null,
      found.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { resolve: resolve as unknown as Resolve, asked }
}

function outgoing(resolve?: Resolve) {
  const made = createOutgoing(resolve)
  closing.push(() => made.close())
  return made
}

const usual = { timeout: 5000, maxBytes: 1000 } as const

it('what the operator named is asked wherever it is', async () => {
  const { port } = await serve((_request, response) => response.setHeader('x-kind', 'key set').end('{"keys":[]}'))
  const { status, header, body } = await outgoing().request(`http://127.0.0.1:${port}/keys`, { origin: 'configured', ...usual })
  expect([status, header('x-kind'), header('absent'), Buffer.from(body).toString()]).toEqual([200, 'key set', undefined, '{"keys":[]}'])
})

it.each([
  ['http://example.com/', 'http://example.com: expected https, found http'],
  ['ftp://example.com/', 'ftp://example.com: expected https, found ftp'],
  ['https://user:secret@example.com/', 'https://example.com: a url with a password in it is not asked'],
  ['https://127.0.0.1/', 'https://127.0.0.1: its address is not on the public internet'],
  ['https://2130706433/', 'https://127.0.0.1: its address is not on the public internet'],
  ['https://0x7f.1/', 'https://127.0.0.1: its address is not on the public internet'],
  ['https://0177.0.0.1/', 'https://127.0.0.1: its address is not on the public internet'],
  ['https://[::1]/', 'https://[::1]: its address is not on the public internet'],
  ['https://[::ffff:169.254.169.254]/', 'https://[::ffff:a9fe:a9fe]: its address is not on the public internet'],
  ['https://①②⑦.0.0.1/', 'https://127.0.0.1: its address is not on the public internet'],
  ['//example.com', 'not a url'],
])('what somebody else named is not asked where it is %s', async (url, why) => {
  const { resolve, asked } = resolving(['8.8.8.8'])
  await expect(outgoing(resolve).request(url, { origin: 'discovered', ...usual })).rejects.toThrow(why)
  expect(asked).toEqual([])
})

it.each([[['127.0.0.1']], [['8.8.8.8', '10.0.0.1']], [['fd00::1']], [[]]])(
  'what somebody else named is not asked where its name leads to %j',
  async addresses => {
    const { resolve } = resolving(addresses)
    await expect(outgoing(resolve).request('https://example.com/', { origin: 'discovered', ...usual })).rejects.toThrow(
      'https://example.com: its address is not on the public internet',
    )
  },
)

it('a name is looked up once for a connection, which goes to the address that was checked', async () => {
  const { port, asked: served } = await serve((_request, response) => response.end('here'))
  // The second lookup would lead nowhere.
  const { resolve, asked } = resolving(['127.0.0.1'], ['192.0.2.1'])
  const { body } = await outgoing(resolve).request(`http://idp.example:${port}/`, { origin: 'configured', ...usual })
  expect([Buffer.from(body).toString(), asked, served]).toEqual(['here', ['idp.example'], ['GET /']])
})

it('a name that flips is looked up anew for each connection, and each answer is checked', async () => {
  const { port, asked: served } = await serve((_request, response) => response.end('here'))
  const { resolve, asked } = resolving(['10.0.0.1', '8.8.8.8'], ['127.0.0.1'], ['::1'], ['169.254.169.254'])
  const way = outgoing(resolve)
  for (let i = 0; i < 4; i++) {
    await expect(way.request(`https://flips.example:${port}/`, { origin: 'discovered', ...usual })).rejects.toThrow(
      'its address is not on the public internet',
    )
  }
  expect([asked.length, served]).toEqual([4, []])
})

it('a redirect is an answer, and not followed', async () => {
  const { port, asked } = await serve((_request, response) => response.writeHead(302, { location: '/elsewhere' }).end())
  const { status, header } = await outgoing().request(`http://127.0.0.1:${port}/`, { origin: 'configured', ...usual })
  expect([status, header('location'), asked]).toEqual([302, '/elsewhere', ['GET /']])
})

it('an answer that is too long, or never ends, is none', async () => {
  const { port } = await serve((request, response) => {
    if (request.url === '/long') response.end('x'.repeat(1001))
    else response.write('a')
  })
  const way = outgoing()
  await expect(way.request(`http://127.0.0.1:${port}/long`, { origin: 'configured', ...usual })).rejects.toThrow(
    `http://127.0.0.1:${port}: the answer is longer than 1000 bytes`,
  )
  await expect(way.request(`http://127.0.0.1:${port}/slow`, { origin: 'configured', timeout: 50, maxBytes: 1000 })).rejects.toThrow(
    `http://127.0.0.1:${port}: no whole answer within 50 ms`,
  )
})

it('a form is posted, and nobody there is told apart from the rest', async () => {
  const { port } = await serve((request, response) => {
    request.setEncoding('utf8')
    let text = ''
    request.on('data', part => {
      text += part
    })
    request.on('end', () => response.end(`${request.headers['content-type']} ${text}`))
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const way = outgoing()
  const posted = await way.request(`http://127.0.0.1:${port}/`, { origin: 'configured', method: 'POST', headers, body: 'a=b', ...usual })
  expect(Buffer.from(posted.body).toString()).toBe('application/x-www-form-urlencoded a=b')
  await expect(way.request('http://127.0.0.1:1/', { origin: 'configured', ...usual })).rejects.toThrow('http://127.0.0.1:1: ECONNREFUSED')
})
