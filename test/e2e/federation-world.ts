// Two gateways of the built product, one behind the other, and whoever stands between them.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { findFreePort } from './gateway.ts'
import { createFolder, type Product, startProduct } from './product.ts'
import { oddServer } from './servers.ts'

export interface Pair {
  readonly privateKey: string
  readonly publicKey: string
}

export function makePair(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  }
}

/** One HTTP request as it went by. */
export interface Passed {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Between {
  readonly url: string
  readonly passed: Passed[]
  /** What becomes of each request from now on. */
  change: (request: Passed) => Passed
}

/** Passes on what comes, and keeps it; whoever stands there may change it. */
export async function startBetween(port: number): Promise<Between> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const given = { method: incoming.method!, path: incoming.url!, headers: flat(incoming.headers), body }
      between.passed.push(given)
      const { method, path, headers, body: sent } = between.change(given)
      const outgoing = send(
        { host: '127.0.0.1', port, method, path, headers: { ...headers, 'content-length': String(Buffer.byteLength(sent)) } },
        answer => {
          response.writeHead(answer.statusCode!, answer.headers)
          answer.pipe(response)
        },
      )
      outgoing.on('error', () => response.destroy())
      response.on('close', () => outgoing.destroy())
      outgoing.end(sent)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const between: Between = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, passed: [], change: same => same }
  return between
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  const { connection: _, 'transfer-encoding': __, ...rest } = headers
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]))
}

export const POLICY = `policy "hub" edition 1

allow readers {
  who  role reader
  call odd/echo
}

allow admins {
  who  role admin
  call odd/echo, odd/pid
}

allow only-bob {
  who  agent "edge/bob"
  call odd/arguments
}
`

export interface World {
  readonly hub: Product
  readonly hubDir: string
  /** For another one that is known by the same name. */
  readonly hubConfig: object
  readonly edge: Product
  readonly edgeDir: string
  readonly between: Between
  startHub(pairs?: readonly Pair[]): Promise<Product>
  /** The edge signs with this from now on. */
  useKey(pair: Pair): void
}

/** API keys at the edge, by whom they stand for: as headers, and as the config has them. */
const PEOPLE = { ann: ['acme', 'reader'], bob: ['acme', 'admin', 'root'], eve: ['globex', 'admin'] } as const
const secretOf = (id: string): string => `a-key-of-${id}-that-nobody-guesses`
const keyOf = (id: keyof typeof PEOPLE): readonly string[] => ['authorization', `Bearer ${secretOf(id)}`]
export const keys = { ann: keyOf('ann'), bob: keyOf('bob'), eve: keyOf('eve') }
export const apiKeys: readonly object[] = Object.entries(PEOPLE).map(([id, [tenant, ...roles]]) => ({
  id: `key-of-${id}`,
  key: secretOf(id),
  consumerId: id,
  tenant,
  roles,
}))

export const AUDIENCE = 'https://hub.example/mcp'

export interface WorldOptions {
  readonly hub?: object
  readonly edge?: object
  readonly edgeArgs?: readonly string[]
  /** The key that comes next. */
  readonly alsoKnown?: Pair
  /** What the edge speaks to the hub. */
  readonly protocol?: 'legacy' | 'modern'
}

export async function startWorld({
  hub: more = {},
  edge: edgeMore = {},
  edgeArgs,
  alsoKnown,
  protocol,
}: WorldOptions = {}): Promise<World> {
  const [hubDir, edgeDir] = [createFolder({ 'main.policy': POLICY }), createFolder()]
  const policies = join(hubDir, 'main.policy')
  const port = await findFreePort()
  const between = await startBetween(port)
  const pair = makePair()
  const useKey = ({ privateKey }: Pair): void => writeFileSync(join(edgeDir, 'edge.pem'), privateKey, { mode: 0o600 })
  useKey(pair)
  const known = [pair, ...(alsoKnown === undefined ? [] : [alsoKnown])]
  const configFor = (pairs: readonly Pair[]): object => {
    const people = { tenants: ['acme'], roles: ['reader', 'admin'] }
    const gateway = { name: 'edge', audience: AUDIENCE, keys: pairs.map(({ publicKey }) => publicKey), ...people }
    const servers = [{ id: 'odd', ...oddServer() }]
    const plugins = ['audit', { auth: { gateways: [gateway] } }, 'policy']
    return { servers, policies: [policies], plugins, ...more }
  }
  const startHub = (pairs: readonly Pair[] = known): Promise<Product> =>
    startProduct({ dir: hubDir, config: configFor(pairs), args: ['--http', `127.0.0.1:${port}`] })
  const hub = await startHub()
  const gateway = { as: 'edge', privateKey: 'edge.pem', audience: AUDIENCE }
  const server = { id: 'hub', url: between.url, auth: { gateway }, ...(protocol && { protocol }) }
  const edge = await startProduct({
    dir: edgeDir,
    config: { servers: [server], plugins: ['audit', { auth: { apiKeys } }], ...edgeMore },
    ...(edgeArgs && { args: edgeArgs }),
  })
  return { hub, hubDir, hubConfig: configFor([pair]), edge, edgeDir, between, startHub, useKey }
}
