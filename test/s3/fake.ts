// An object store that keeps the rules of S3 as they are documented, and answers badly where it is told to.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'
import { findForgery } from './signature.ts'

export interface StoredObject {
  readonly key: string
  readonly body: Buffer
  readonly contentType: string
  readonly checksum: string | undefined
  readonly lock: { readonly mode: string; readonly until: number } | undefined
}

/** `stored-…`: the object is put first. `html`: a 200 of somebody who is no store. */
export type Behaviour =
  | 'good'
  | 'error'
  | 'slow-down'
  | 'conflict'
  | 'forbidden'
  | 'redirect'
  | 'moved'
  | 'nonsense'
  | 'bad-xml'
  | 'html'
  | 'flood'
  | 'silent'
  | 'cut'
  | 'stored-late'
  | 'stored-cut'
  | 'stored-error'
  | 'truncated'

export interface Store {
  readonly url: string
  readonly port: number
  /** Of the newest versions, in the order of their keys. */
  objects(): StoredObject[]
  /** How often anything was put: as many as there are objects, where none was overwritten. */
  versions(): number
  /** Puts without any rule, as somebody else would. */
  plant(key: string, body: string): void
  /** Every request that came: `METHOD KEY`, and whether it was answered with a 2xx. */
  readonly asked: { readonly what: string; readonly status: number }[]
  readonly forgeries: string[]
  /** Takes it out; `AccessDenied` where it is locked. */
  remove(key: string): string | undefined
  behave(next: Behaviour | ((method: string, key: string) => Behaviour)): void
  close(): Promise<void>
}

export const BUCKET = 'acme-audit'
export const REGION = 'eu-central-1'
export const ACCESS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
/** ms that a late answer takes: longer than a test's time limit of one attempt. */
const LATE_MS = 400

export interface StoreOptions {
  readonly port?: number
  readonly objectLock?: boolean
  /** False: it knows no checksums, as some other stores. */
  readonly checksums?: boolean
}

export async function startStore({ port = 0, objectLock = true, checksums = true }: StoreOptions = {}): Promise<Store> {
  const versions = new Map<string, StoredObject[]>()
  const asked: { what: string; status: number }[] = []
  const forgeries: string[] = []
  let next: (method: string, key: string) => Behaviour = () => 'good'
  const newest = (key: string): StoredObject | undefined => versions.get(key)?.at(-1)
  const add = (object: StoredObject): void => void versions.set(object.key, [...(versions.get(object.key) ?? []), object])

  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const { method = '', url = '' } = request
      const key = decodeURIComponent(url.split('?')[0]!.replace(/^\/[^/]*\/?/, ''))
      response.on('close', () => asked.push({ what: `${method} ${key}`, status: response.writableFinished ? response.statusCode : 0 }))
      answer(request, response, Buffer.concat(chunks), key)
    })
  })

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer, key: string): void {
    const behaviour = next(request.method!, key)
    if (misbehave(behaviour, response)) return
    const [status, code, headers, content] = serve(request, body, key)
    if (behaviour === 'stored-cut') return void response.socket?.destroy()
    if (behaviour === 'stored-error') return fail(response, 500, 'InternalError')
    if (behaviour === 'stored-late') return void setTimeout(() => response.writeHead(status, headers).end(), LATE_MS)
    if (code !== '') return fail(response, status, code, headers)
    if (behaviour === 'truncated' && content !== undefined) {
      response.writeHead(status, { ...headers, 'content-length': content.length })
      response.flushHeaders()
      return void response.write(content.subarray(0, content.length / 2), () => response.socket?.destroy())
    }
    response.writeHead(status, headers).end(content)
  }

  type Answer = readonly [status: number, code: string, headers: Record<string, string>, content?: Buffer]

  function serve(request: IncomingMessage, body: Buffer, key: string): Answer {
    const header = (name: string): string | undefined => request.headers[name] as string | undefined
    const forgery = findForgery(request, body, { id: ACCESS.accessKeyId, secret: ACCESS.secretAccessKey, region: REGION })
    if (forgery !== undefined) {
      forgeries.push(forgery)
      return [forgery === 'AuthorizationHeaderMalformed' || forgery.startsWith('X') ? 400 : 403, forgery, {}]
    }
    if (!request.url!.startsWith(`/${BUCKET}/`)) return [404, 'NoSuchBucket', {}]
    const found = newest(key)
    if (request.method === 'GET') {
      if (found === undefined) return [404, 'NoSuchKey', {}]
      const lock = found.lock && { 'x-amz-object-lock-mode': found.lock.mode }
      return [200, '', { etag: etagOf(found.body), 'content-type': found.contentType, ...lock }, found.body]
    }
    if (request.method !== 'PUT') return [405, 'MethodNotAllowed', {}]
    return put(header, body, key, found)
  }

  function put(header: (name: string) => string | undefined, body: Buffer, key: string, found: StoredObject | undefined): Answer {
    const checksum = header('x-amz-checksum-sha256')
    if (header('content-length') === undefined) return [411, 'MissingContentLength', {}]
    if (checksums && checksum !== undefined) {
      if (!/^[A-Za-z0-9+/]{43}=$/.test(checksum)) return [400, 'InvalidRequest', {}]
      if (checksum !== createHash('sha256').update(body).digest('base64')) return [400, 'BadDigest', {}]
    }
    const condition = header('if-none-match')
    if (condition !== undefined && condition !== '*') return [501, 'NotImplemented', {}]
    if (condition === '*' && found !== undefined) return [412, 'PreconditionFailed', {}]
    const [mode, until] = [header('x-amz-object-lock-mode'), header('x-amz-object-lock-retain-until-date')]
    if (mode !== undefined || until !== undefined) {
      if (!objectLock || (checksum === undefined && header('content-md5') === undefined)) return [400, 'InvalidRequest', {}]
      if (!/^(GOVERNANCE|COMPLIANCE)$/.test(mode ?? '') || !(Date.parse(until ?? '') > Date.now())) return [400, 'InvalidArgument', {}]
    }
    const lock = mode === undefined ? undefined : { mode, until: Date.parse(until!) }
    add({ key, body, contentType: header('content-type') ?? 'binary/octet-stream', checksum: checksums ? checksum : undefined, lock })
    return [200, '', { etag: etagOf(body), ...(checksums && checksum !== undefined && { 'x-amz-checksum-sha256': checksum }) }]
  }

  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  afterAll(close)
  const at = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    asked,
    forgeries,
    objects: () => [...versions.values()].map(some => some.at(-1)!).sort((a, b) => (a.key < b.key ? -1 : 1)),
    versions: () => [...versions.values()].flat().length,
    plant: (key, body) => add({ key, body: Buffer.from(body), contentType: 'text/plain', checksum: undefined, lock: undefined }),
    remove(key) {
      if ((newest(key)?.lock?.until ?? 0) > Date.now()) return 'AccessDenied'
      versions.delete(key)
      return undefined
    },
    behave(behaviour) {
      next = typeof behaviour === 'function' ? behaviour : () => behaviour
    },
    close,
  }
}

const etagOf = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`

function fail(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>secret words of the store</Message><RequestId>R1</RequestId></Error>`
  response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'R1', ...headers }).end(text)
}

/** True where the request came to nothing. */
function misbehave(behaviour: Behaviour, response: ServerResponse): boolean {
  switch (behaviour) {
    case 'error':
      fail(response, 500, 'InternalError')
      return true
    case 'slow-down':
      fail(response, 503, 'SlowDown', { 'retry-after': '1' })
      return true
    case 'conflict':
      fail(response, 409, 'ConditionalRequestConflict')
      return true
    case 'forbidden':
      fail(response, 403, 'AccessDenied')
      return true
    case 'redirect':
      fail(response, 307, 'TemporaryRedirect', { location: `http://localhost:${response.socket!.localPort}/elsewhere/x` })
      return true
    case 'moved':
      fail(response, 301, 'PermanentRedirect', { 'x-amz-bucket-region': 'us-east-1', location: 'http://localhost:1/' })
      return true
    case 'nonsense':
      response.socket?.end('220 smtp.example ESMTP\r\n')
      return true
    case 'bad-xml':
      response.writeHead(500, { 'content-type': 'application/xml' }).end('<Error><Code>&bomb;</Code><Mess')
      return true
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>welcome to the hotel</html>')
      return true
    case 'flood':
      flood(response)
      return true
    case 'silent':
      return true
    case 'cut':
      response.socket?.destroy()
      return true
    default:
      return false
  }
}

function flood(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'application/xml' })
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}
