// What every answer says beside its own: that its type is meant, that nobody keeps it, and over TLS that the next request comes over TLS too.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A new object, for more to be put in. */
export function headersFor({ req: { socket } }: ServerResponse): Record<string, string | number> {
  return headersOn(socket)
}

/** Where there is no request that an answer could be of. */
export function headersOn(socket: Socket): Record<string, string | number> {
  return socket instanceof TLSSocket
    ? { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'strict-transport-security': 'max-age=31536000' }
    : { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
}
