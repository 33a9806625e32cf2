// A transport on its own, against a server that says exactly what a test wants said over HTTP.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDialer } from '../../../../core/upstream/remote/dialer.ts'
import type { HttpTransportOptions } from '../../../../core/upstream/remote/http.ts'
import type { Transport, TransportFault } from '../../../../core/upstream/transport.ts'
import { createLogBook, type LogLine } from '../manual-clock.ts'

export interface Served {
  readonly origin: string
  readonly requests: (IncomingMessage & { readonly body: string })[]
  close(): Promise<void>
}

/** `handle` is called when the body is there. */
export async function serve(handle: (request: IncomingMessage & { body: string }, response: ServerResponse) => void): Promise<Served> {
  const requests: Served['requests'] = []
  const http = createServer((incoming, response) => {
    const request = Object.assign(incoming, { body: '' })
    incoming.on('data', (chunk: Buffer) => (request.body += chunk.toString()))
    incoming.on('end', () => {
      requests.push(request)
      handle(request, response)
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    async close() {
      http.close()
      http.closeAllConnections()
    },
  }
}

export interface Wire {
  readonly transport: Transport
  readonly messages: { readonly text: string; readonly during: number | undefined }[]
  readonly failed: { readonly id: number; readonly fault: TransportFault }[]
  readonly ended: TransportFault[]
  readonly closed: TransportFault[]
  readonly logged: readonly LogLine[]
  /** Why it could not be opened. */
  readonly fault: TransportFault | undefined
  close(): Promise<void>
}

/** A request counts as answered once a result with its id has come. */
export async function connectWire(
  create: (options: HttpTransportOptions) => Transport,
  url: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly maxBytes?: number } = {},
): Promise<Wire> {
  const { headers = {}, maxBytes = 100_000 } = options
  const dialer = createDialer()
  const { log, lines: logged } = createLogBook()
  const transport = create({ url: new URL(url), headers, maxBytes, dialer, log })
  const [messages, failed, ended, closed]: [Wire['messages'], Wire['failed'], TransportFault[], TransportFault[]] = [[], [], [], []]
  const answered = new Set<number | undefined>()
  let fault: TransportFault | undefined
  try {
    await transport.open({
      message(bytes, during) {
        const text = Buffer.from(bytes).toString()
        messages.push({ text, during })
        if (text.includes('"result"') || text.includes('"error"')) answered.add(during)
      },
      failed(id, why) {
        failed.push({ id, fault: why })
        answered.add(id)
      },
      awaits: id => !answered.has(id),
      ended: why => ended.push(why),
      closed: why => closed.push(why),
    })
  } catch (error) {
    fault = error as TransportFault
  }
  return {
    transport,
    messages,
    failed,
    ended,
    closed,
    logged,
    fault,
    async close() {
      await transport.close()
      await dialer.close()
    },
  }
}

export const request = (id: number): Buffer => Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{}}`)
export const result = (id: number): string => `{"jsonrpc":"2.0","id":${id},"result":{}}`
export const eventStream = { 'content-type': 'text/event-stream' }
