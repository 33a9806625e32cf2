// A receiver of webhooks that answers as it is told to, and keeps what it was sent.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface Delivery {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whether it was answered with a 2xx. */
  acknowledged: boolean
}

export type Behaviour = 'good' | 'error' | 'bad-request' | 'silent' | 'late' | 'nonsense' | 'cut' | 'redirect'

export interface Receiver {
  readonly url: string
  readonly got: Delivery[]
  /** How the next ones are answered. */
  behave(behaviour: Behaviour | (() => Behaviour)): void
  /** Of JSON lines, all that were sent, in their order. */
  records(): { id: string; stream: string; seq: number; type: string }[]
  close(): Promise<void>
}

/** What is waited for comes at once on a machine that does nothing else. */
export const WITHIN = { timeout: 15_000 }

/** ms that a late answer takes: longer than a test's time limit of one attempt. */
const LATE_MS = 400

export async function startReceiver(port = 0): Promise<Receiver> {
  const got: Delivery[] = []
  let next: () => Behaviour = () => 'good'
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const delivery: Delivery = { headers: request.headers, body: Buffer.concat(chunks).toString(), acknowledged: false }
      got.push(delivery)
      switch (next()) {
        case 'good':
          delivery.acknowledged = true
          return void response.writeHead(200).end('ok')
        case 'error':
          return void response.writeHead(500).end('no')
        case 'bad-request':
          return void response.writeHead(400).end('no')
        case 'redirect':
          return void response.writeHead(307, { location: '/elsewhere' }).end()
        case 'nonsense':
          return void response.socket?.end('220 smtp.example ESMTP\r\n')
        case 'cut':
          return void response.socket?.destroy()
        case 'late':
          return void setTimeout(() => response.writeHead(200).end('ok'), LATE_MS)
        case 'silent':
      }
    })
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  afterAll(close)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`,
    got,
    behave(behaviour) {
      next = typeof behaviour === 'function' ? behaviour : () => behaviour
    },
    records: () => got.flatMap(({ body }) => body.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line)]))),
    close,
  }
}
