// What is sent to fill memory: from clients and from servers, plain, compressed and without end. Memory stays bounded, the error is the right one, others are served.
import { readFileSync } from 'node:fs'
import { createServer, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFolder, isBuilt, type Product, startProduct } from '../e2e/product.ts'
import { COMMON, codeOf, openSession, post, type Session } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { textOf } from './processes.ts'

const MB = 1024 * 1024
const GROWTH = 100 * MB
const megabyte = Buffer.alloc(MB, 'x')
/** Ten gigabytes of zeros in ten megabytes: members of gzip may follow each other. */
const member = gzipSync(Buffer.alloc(10 * MB))
const compressed = Buffer.concat(Array.from({ length: Math.ceil((10 * MB) / member.length) }, () => member))

interface Scene {
  readonly product: Product
  readonly good: Session
  /** Calls of another client meanwhile, all answered; and how much memory the gateway gained at most. */
  during<T>(work: Promise<T>): Promise<T>
}

async function setScene(bad: object): Promise<Scene> {
  const servers = [
    { id: 'good', ...oddServer() },
    { id: 'bad', ...bad },
  ]
  const product = await startProduct({ dir: createFolder(), config: { servers, plugins: ['redact'] } })
  const good = await openSession(product.origin)
  for (let n = 0; n < 20; n++) await good.call('good__echo', { n })
  return {
    product,
    good,
    async during(work) {
      const before = residentBytes(product.pid)
      let over = false
      void work.catch(() => {}).finally(() => (over = true))
      let most = 0
      for (let n = 0; !over || n < 3; n++) {
        expect(textOf(await good.call('good__echo', { n }))).toEqual({ n })
        most = Math.max(most, residentBytes(product.pid) - before)
      }
      expect(most).toBeLessThan(GROWTH)
      return work
    },
  }
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** As fast as it is taken, until `bytes` are sent or the other end has had enough. */
async function pour(to: ServerResponse, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !to.destroyed; sent += MB) {
    if (to.write(megabyte)) continue
    await new Promise<void>(go => {
      const on = (): void => {
        to.off('drain', on).off('close', on)
        go()
      }
      to.on('drain', on).on('close', on)
    })
  }
}

/** A remote server that answers calls of its tool as `answer` does. */
async function hostile(answer: (response: ServerResponse, id: unknown) => void): Promise<object> {
  const server = createServer((incoming, response) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (text: string) => (body += text))
    incoming.on('end', () => {
      const { id, method } = JSON.parse(body || '{}')
      const reply = (result: object): void =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      if (method === 'initialize')
        return reply({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'h', version: '1' } })
      if (method === 'tools/list') return reply({ tools: [{ name: 'bomb', inputSchema: { type: 'object' } }] })
      if (method === 'tools/call') return answer(response, id)
      response.writeHead(id === undefined ? 202 : 405).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, protocol: 'legacy' }
}

describe.skipIf(!isBuilt || process.platform !== 'linux')('a server that answers with', () => {
  test.each([
    ['one event of a gigabyte', 'text/event-stream', 'data: '],
    ['a comment of a gigabyte', 'text/event-stream', ': '],
    ['a body of a gigabyte', 'application/json', '{"jsonrpc":"2.0","id":1,"result":"'],
  ])('%s fails that call', { timeout: 60_000 }, async (_, type, begin) => {
    const bad = await hostile(response => {
      response.writeHead(200, { 'content-type': type }).write(begin)
      void pour(response, 1024 * MB).then(() => response.end())
    })
    const { good, during } = await setScene(bad)
    expect(codeOf(await during(good.call('bad__bomb')))).toBe('upstream-garbage')
    expect(textOf(await good.call('good__echo', { still: 1 }))).toEqual({ still: 1 })
  })

  test('ten gigabytes in ten megabytes of gzip fails that call, and inflates nothing', { timeout: 60_000 }, async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const { good, during } = await setScene(await hostile(response => void response.writeHead(200, headers).end(compressed)))
    expect(codeOf(await during(good.call('bad__bomb')))).toBe('upstream-garbage')
  })

  test('a line of a gigabyte on its standard output is ended, and its call fails', { timeout: 60_000 }, async () => {
    const { good, during } = await setScene(oddServer())
    expect(['upstream-garbage', 'upstream-crashed']).toContain(codeOf(await during(good.call('bad__gigabyte'))))
    expect(textOf(await good.call('good__echo', { still: 1 }))).toEqual({ still: 1 })
  })
})

describe.skipIf(!isBuilt || process.platform !== 'linux')('a client that sends', () => {
  const call = (args: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good__echo","arguments":${args}}}`

  test('twenty thousand levels, or fifty megabytes, is refused', { timeout: 60_000 }, async () => {
    const { product, good, during } = await setScene(oddServer())
    const headers = ['mcp-session-id', good.id]
    const deep = await during(post(product.origin, call(`${'['.repeat(20_000)}${']'.repeat(20_000)}`), { headers }))
    expect([deep.status, codeOf(deep.messages[0])]).toEqual([400, 'too-deep'])
    const long = await during(post(product.origin, call(`"${'x'.repeat(50 * MB)}"`), { headers }).catch(() => 'cut'))
    if (long !== 'cut') expect((long as { status: number }).status).toBe(413)
  })

  test('ten gigabytes in ten megabytes of gzip is refused before it is read', { timeout: 60_000 }, async () => {
    const { product, good, during } = await setScene(oddServer())
    const { hostname, port } = new URL(product.origin)
    const headers = { ...COMMON, 'content-encoding': 'gzip', 'mcp-session-id': good.id }
    const status = new Promise<number>((resolve, reject) => {
      const outgoing = request({ hostname, port, method: 'POST', path: '/mcp', headers }, response => {
        resolve(response.statusCode!)
        response.resume()
      })
      outgoing.on('error', reject)
      outgoing.end(compressed)
    })
    expect(await during(status)).toBe(415)
  })

  test('a gigabyte in chunks that never end is cut', { timeout: 60_000 }, async () => {
    const { product, good, during } = await setScene(oddServer())
    const { hostname, port } = new URL(product.origin)
    const head = `POST /mcp HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-session-id: ${good.id}\r\ntransfer-encoding: chunked\r\n\r\n`
    const chunk = Buffer.concat([Buffer.from(`${MB.toString(16)}\r\n`), megabyte, Buffer.from('\r\n')])
    const answered = new Promise<string>(resolve => {
      let got = ''
      let sent = 0
      const socket = connect(Number(port), hostname, () => {
        socket.write(head)
        more()
      })
      const more = (): void => {
        while (sent < 1024 && !socket.destroyed) {
          sent++
          if (!socket.write(chunk)) return void socket.once('drain', more)
        }
      }
      socket.on('data', (data: Buffer) => (got += data.toString('latin1')))
      socket.on('error', () => {})
      socket.on('close', () => resolve(got))
    })
    const got = await during(answered)
    if (got !== '') expect(got).toMatch(/^HTTP\/1\.1 413/)
  })
})
