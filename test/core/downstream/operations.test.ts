// What is for this machine alone is shown to nobody who comes through a proxy on it, whatever is said of where he comes from.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { createAddresses } from '../../../core/downstream/client-address.ts'
import { HttpPeer } from '../../../core/downstream/http-peer.ts'
import { serveOperations } from '../../../core/downstream/operations.ts'
import { createHealth } from '../../../core/health.ts'
import { createMetrics } from '../../../core/metrics.ts'

interface Came {
  readonly from: string
  readonly trusted?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** What a PROXY protocol header says. */
  readonly client?: string
  /** That the config has. */
  readonly token?: string
}

/** What is shown of `/metrics` and `/healthz`. */
function ask({ from, trusted = [], headers = {}, client, token }: Came): { metrics: string; members: string[] } {
  const forwarded = headers['x-forwarded-for']
  const said = forwarded === undefined || trusted.length === 0 ? [] : [forwarded]
  const peer = new HttpPeer(createAddresses(trusted).of(from, said, client), { rawHeaders: Object.entries(headers).flat() })
  const source = {
    health: createHealth({ clock: systemClock }),
    metrics: createMetrics(),
    version: '1',
    metricsToken: token,
    servers: () => [],
    edge: { find: () => undefined },
  }
  let body = ''
  const response = { req: { socket: {} }, writeHead() {}, end: (text: string) => (body = text) }
  const get = (path: string): string =>
    serveOperations(source, { method: 'GET' } as IncomingMessage, response as unknown as ServerResponse, path, peer) ?? 'served'
  const metrics = get('/metrics')
  get('/healthz')
  return { metrics, members: Object.keys(JSON.parse(body)) }
}

it.each<Came>([{ from: '127.0.0.1' }, { from: '::1' }, { from: '::ffff:127.0.0.1', trusted: ['10.0.0.0/8'] }])(
  'whoever is on this machine sees all: %j',
  came => {
    const { metrics, members } = ask(came)
    expect(metrics).toBe('served')
    expect(members).toContain('components')
  },
)

it.each<Came>([
  { from: '203.0.113.1' },
  // A proxy on this machine that nobody named.
  { from: '127.0.0.1', headers: { 'x-forwarded-for': '203.0.113.1' } },
  { from: '127.0.0.1', headers: { Forwarded: 'for=203.0.113.1' } },
  { from: '127.0.0.1', headers: { 'X-Real-IP': '203.0.113.1' } },
  { from: '127.0.0.1', headers: { 'X-Forwarded-Proto': 'https' } },
  { from: '127.0.0.1', headers: { 'X-Forwarded-Host': 'mcp.example.com' } },
  { from: '127.0.0.1', headers: { Via: '1.1 proxy' } },
  // One of a trusted network says so of himself.
  { from: '127.0.0.1', trusted: ['127.0.0.1', '10.0.0.0/8'], headers: { 'x-forwarded-for': '127.0.0.1, 10.1.1.1' } },
  { from: '10.1.1.1', trusted: ['10.0.0.0/8'], headers: { 'x-forwarded-for': '127.0.0.1' } },
  { from: '10.1.1.1', trusted: ['10.0.0.0/8'], client: '127.0.0.1' },
  { from: '127.0.0.1', trusted: ['127.0.0.1'], headers: { 'x-forwarded-for': 'unknown' } },
])('whoever comes from elsewhere, or through a proxy, sees no part and no figure: %j', came => {
  expect(ask(came)).toEqual({ metrics: 'not-found', members: ['status'] })
})

const token = 'a-token-that-nobody-guesses'
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

it.each<Came>([
  { from: '203.0.113.1', headers: bearer(token) },
  { from: '127.0.0.1', headers: bearer(token) },
  { from: '127.0.0.1', headers: { ...bearer(token), 'x-forwarded-for': '203.0.113.1' } },
])('with a token in the config, whoever shows it sees the figures, from wherever he comes: %j', came => {
  expect(ask({ ...came, token }).metrics).toBe('served')
})

it.each<Came>([
  { from: '127.0.0.1' },
  { from: '127.0.0.1', headers: bearer(token.slice(1)) },
  { from: '127.0.0.1', headers: bearer(`${token}x`) },
  { from: '127.0.0.1', headers: { authorization: token } },
  { from: '127.0.0.1', headers: { authorization: `Basic ${token}` } },
  { from: '127.0.0.1', headers: { authorization: 'Bearer ' } },
  // Two of them: which one counts is not guessed.
  { from: '127.0.0.1', headers: { ...bearer(token), Authorization: `Bearer ${token}` } },
  { from: '203.0.113.1', headers: { 'x-api-key': token } },
])('and nobody else, not even on this machine: %j', came => {
  expect(ask({ ...came, token }).metrics).toBe('unauthenticated')
})
