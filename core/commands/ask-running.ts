// Asks the gateway that runs on the address of the config how its servers are. Over TLS it is known by the certificate that the config names.
import { readFile } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { ListenConfig, TlsConfig } from '../config/schema.ts'
import { readChain, readKey } from '../downstream/tls-material.ts'
import type { ShownServer } from '../upstream/board.ts'

/** `other`: something listens there and did not answer as this gateway would. */
export type Running =
  | { readonly kind: 'answered'; readonly servers: readonly ShownServer[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'other'; readonly why: string }

/** PEM files with which a client shows who it is. */
export interface ClientFiles {
  readonly cert: string
  readonly key: string
}

const ASK_MS = 2000
const MAX_ANSWER = 16 * 1024 * 1024
const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EADDRNOTAVAIL', 'EHOSTUNREACH', 'ENETUNREACH'])
const CLIENT_CERTIFICATE = 'it asks for a certificate of clients: give one that its `ca` has signed with --client-cert and --client-key'

/** `client`: where it is left out and the gateway asks for a certificate, its own is shown: one authority often signs both. */
export async function askRunning({ host, port, tls }: ListenConfig, client?: ClientFiles): Promise<Running> {
  try {
    const at = { host: hereAs(host), port, path: '/healthz', agent: false as const, timeout: ASK_MS }
    const body = tls === undefined ? await take(tell => requestPlain(at, tell)) : await askTls(at, tls, client)
    const { servers } = JSON.parse(body) as { readonly servers?: readonly ShownServer[] }
    if (Array.isArray(servers)) return { kind: 'answered', servers }
    return { kind: 'other', why: 'its /healthz names no servers' }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (NOBODY.has(code)) return { kind: 'none' }
    const isRefused = tls?.clientCertificates === 'required' && /^(ECONNRESET$|EPIPE$|ERR_SSL_)/.test(code)
    return { kind: 'other', why: isRefused ? CLIENT_CERTIFICATE : message }
  }
}

async function askTls(at: RequestOptions, tls: TlsConfig, client: ClientFiles | undefined): Promise<string> {
  const { cert, chain } = await readChain(tls)
  const own = tls.clientCertificates === 'none' ? {} : { cert, key: await readKey(tls) }
  const shown = client === undefined ? own : { cert: await readFile(client.cert), key: await readFile(client.key) }
  // Invariant: nothing secret is asked with, and of the answer nothing is used before its sender is known by the certificate.
  return take(
    tell => requestTls({ ...at, ...shown, rejectUnauthorized: false }, tell),
    ({ socket }) => (socket as TLSSocket).getPeerX509Certificate()?.raw.equals(chain[0]!.raw) === true,
    `it shows another certificate than ${tls.cert}`,
  )
}

function take(
  ask: (tell: (response: IncomingMessage) => void) => ClientRequest,
  isOurs: (response: IncomingMessage) => boolean = () => true,
  otherwise = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      reject(new Error(why))
      asked.destroy()
    }
    let text = ''
    const asked = ask(response => {
      response
        .setEncoding('utf8')
        .on('error', reject)
        .on('end', () => resolve(text))
      if (!isOurs(response)) return fail(otherwise)
      response.on('data', (part: string) => {
        text += part
        if (text.length > MAX_ANSWER) fail('its answer has no end')
      })
      return undefined
    })
    asked.on('timeout', () => fail(`it does not answer within ${ASK_MS} ms`))
    asked.on('error', reject).end()
  })
}

/** An address to ask where the gateway listens on all of them. */
function hereAs(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
}
