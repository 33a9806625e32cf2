// The listening side of HTTP: how many connections there may be, whose they are, TLS, and the limits on what may be said on them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ListenConfig } from '../config/schema.ts'
import { networkOf } from '../plugin/index.ts'
import { type Addresses, canonicalIp } from './client-address.ts'
import { takeProxyHeader } from './proxy-protocol.ts'
import type { TlsKeeper } from './tls.ts'

export interface HttpServerOptions {
  readonly listen: Pick<ListenConfig, 'host' | 'port' | 'proxyProtocol' | 'connections'>
  readonly tls: TlsKeeper | undefined
  readonly addresses: Addresses
  onRequest(request: IncomingMessage, response: ServerResponse): void
  /** It wants more of us than a 100 before it sends its body. */
  onExpectation(request: IncomingMessage, response: ServerResponse): void
  /** Once it is known whose it is, and over TLS after the handshake. */
  onConnection(socket: Socket): void
  /** What has come on it is nothing to go on with, or there are too many: it is cut. `mayAnswer`: no answer is owed or under way that another one would be taken for. */
  onBroken(socket: Socket, error: Error & { readonly code?: string }, mayAnswer: boolean): void
}

export interface HttpServer {
  readonly port: number
  /** Takes no new connections; resolves when the last has gone. */
  end(): Promise<void>
  /** Cuts all that are left. */
  cut(): void
}

export const TOO_MANY = 'TOO_MANY_CONNECTIONS'
export const BAD_CERTIFICATE = 'BAD_CERTIFICATE'
export const BAD_PROXY_HEADER = 'BAD_PROXY_HEADER'

const LIMITS = {
  keepAliveTimeout: 65_000,
  headersTimeout: 10_000,
  // With the body.
  requestTimeout: 30_000,
  // Whoever is too slow is cut in one go with all others of the same span: thousands at once would hold up everybody else.
  connectionsCheckingInterval: 200,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  // Node's own answers say nothing of ours: the gatekeeper looks at Host.
  requireHostHeader: false,
}
/** Connections that wait to be taken. Node's 511 are full in half a second of a flood, and a system that has no room lets a good client try again after a second. */
const BACKLOG = 4096
/** While ending, a connection is closed this soon after its answer: its keep-alive would hold the gateway for a minute. */
const IDLE_LOOK_MS = 20

export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, tls, addresses, onRequest, onExpectation, onConnection, onBroken } = options
  const server: Server = tls === undefined ? createServer(LIMITS) : createTlsServer({ ...LIMITS, ...tls.options })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    owed.set(socket, (owed.get(socket) ?? 0) + 1)
    response.once('close', () => owed.set(socket, (owed.get(socket) ?? 1) - 1))
    onRequest(request, response)
  })
  // Invariant: Node drops headers over its count without a word; a second Host could be among them. We count ourselves.
  server.maxHeadersCount = 0
  server.on('checkExpectation', onExpectation)
  const open = new Set<Socket>()
  const owed = new WeakMap<Socket, number>()
  const byNetwork = new Map<string, number>()
  /** What proxies said, until the handshake is over: TLS has a socket of its own, of the same two ends. */
  const said = new Map<string, string>()

  // What Node does with a connection, for those that are let so far.
  const serve = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!admit(socket)) return fail(socket, TOO_MANY, 'too many connections')
    if (!listen.proxyProtocol || !addresses.isTrusted(socket)) return pass(socket)
    socket.on('error', ignore)
    takeProxyHeader(
      socket,
      client => {
        socket.off('error', ignore)
        if (client !== undefined) addresses.note(socket, client)
        if (client !== undefined && tls !== undefined) {
          const ends = endsOf(socket)
          said.set(ends, client)
          socket.once('close', () => said.delete(ends))
        }
        pass(socket)
      },
      why => fail(socket, BAD_PROXY_HEADER, `PROXY protocol: ${why}`),
    )
  })
  server.on('clientError', (error: Error, socket: Socket) => {
    // Invariant: where a certificate is required, Node cuts a connection without a good one itself, and only the socket says why.
    const why = socket instanceof TLSSocket ? socket.authorizationError : undefined
    onBroken(
      socket,
      why ? Object.assign(new Error(`no TLS: the client's certificate: ${String(why)}`), { code: BAD_CERTIFICATE }) : error,
      (owed.get(socket) ?? 0) === 0 && socket.bytesRead > 0 && !why,
    )
  })
  if (tls !== undefined) {
    tls.attach(server as ReturnType<typeof createTlsServer>)
    // Node tells of it as `clientError` too, which is where it is dealt with.
    server.prependListener('tlsClientError', (_: Error, socket: Socket) => recall(socket))
    server.prependListener('secureConnection', (socket: Socket) => {
      recall(socket)
      onConnection(socket)
    })
  }

  function pass(socket: Socket): void {
    if (tls === undefined) onConnection(socket)
    for (const take of serve) take.call(server, socket)
  }

  function recall(socket: Socket): void {
    const client = said.get(endsOf(socket))
    if (client !== undefined) addresses.note(socket, client)
  }

  function fail(socket: Socket, code: string, message: string): void {
    onBroken(socket, Object.assign(new Error(message), { code }), false)
    socket.destroy()
  }

  function admit(socket: Socket): boolean {
    const network = addresses.isTrusted(socket) ? undefined : networkOf(canonicalIp(socket.remoteAddress))
    const count = network === undefined ? 0 : (byNetwork.get(network) ?? 0)
    if (open.size >= listen.connections.total || count >= listen.connections.perAddress) return false
    open.add(socket)
    if (network !== undefined) byNetwork.set(network, count + 1)
    socket.once('close', () => {
      open.delete(socket)
      if (network === undefined) return
      const left = (byNetwork.get(network) ?? 1) - 1
      if (left === 0) byNetwork.delete(network)
      else byNetwork.set(network, left)
    })
    return true
  }

  await start(server, listen)
  let ended: Promise<void> | undefined
  return {
    port: (server.address() as AddressInfo).port,
    end() {
      ended ??= new Promise(resolve => {
        let silent: Socket[] = []
        const look = setInterval(() => {
          server.closeIdleConnections()
          // To Node a connection is not idle before its first request: clients that open one in advance would be waited for.
          for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
          silent = [...open].filter(socket => socket.bytesRead === 0)
        }, IDLE_LOOK_MS)
        server.close(() => {
          clearInterval(look)
          resolve()
        })
      })
      return ended
    },
    cut() {
      server.closeAllConnections()
      // Those on which there was no request yet, or no end of the handshake.
      for (const socket of open) socket.destroy()
    },
  }
}

async function start(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}

function ignore(): void {}
