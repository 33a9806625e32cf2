// Where a Redis server is: as the driver takes it, and as people may see it, without the password.
import { isIP } from 'node:net'

const CONNECT_MS = 2000

/** What `createClient` takes. */
export interface ClientOptions {
  readonly socket: {
    readonly host: string
    readonly port: number
    readonly connectTimeout: number
    readonly reconnectStrategy: false
  } & ({ readonly tls: true; readonly servername?: string } | { readonly tls?: false })
  readonly username?: string
  readonly password?: string
  readonly database: number
  readonly RESP: 2
  readonly disableOfflineQueue: true
  readonly disableClientInfo: true
}

/** `redis://USER@HOST:PORT/DATABASE`, for messages. `url` is one that `isRedisUrl` takes. */
export function nameRedis(url: string): string {
  const { protocol, username, hostname, port, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${hostname}:${port === '' ? '6379' : port}/${databaseOf(pathname)}`
}

export function clientOptions(url: string): ClientOptions {
  const { protocol, username, password, hostname, port, pathname } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  // Who connects again, when and how often, is decided in one place, and that is not the driver.
  const socket = { host, port: port === '' ? 6379 : Number(port), connectTimeout: CONNECT_MS, reconnectStrategy: false } as const
  return {
    socket: protocol === 'rediss:' ? { ...socket, tls: true, ...(isIP(host) === 0 && { servername: host }) } : socket,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    database: databaseOf(pathname),
    RESP: 2,
    disableOfflineQueue: true,
    // A role that may run scripts need not have a right to CLIENT.
    disableClientInfo: true,
  }
}

const databaseOf = (pathname: string): number => Number(pathname.slice(1))
