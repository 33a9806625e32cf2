// Carries the requests of the stripe package: each exactly once, within a time and a size, and with an answer that is an object.
// The client that comes with the package makes a request again by itself where a connection ends, and an answer such as `1` ends the process.
import type Stripe from 'stripe'
import { Agent, type Dispatcher, request } from 'undici'

const DEADLINE_MS = 20_000
const MOST_BYTES = 4_194_304
/** The request cannot have reached anybody. */
const UNSENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

export class TransportError extends Error {
  readonly isUnsent: boolean
  constructor(cause: unknown) {
    const code = (cause as { code?: unknown }).code
    super(typeof code === 'string' ? code : (cause as Error).message, { cause })
    this.isUnsent = typeof code === 'string' && UNSENT.has(code)
  }
}

export interface Transport {
  readonly client: Stripe.HttpClient
  close(): Promise<void>
}

export function createTransport(deadline: number = DEADLINE_MS): Transport {
  const agent = new Agent({ connections: 8, connect: { timeout: deadline } })
  const client: Stripe.HttpClient = {
    getClientName: () => 'mcpgw',
    async makeRequest(host, port, path, method, headers, body, protocol) {
      const authority = host.includes(':') ? `[${host}]` : host
      try {
        const answer = await request(`${protocol}://${authority}:${port}${path}`, {
          method: method as Dispatcher.HttpMethod,
          headers: toHeaders(headers as object),
          body: body === '' || body == null ? null : (body as string),
          dispatcher: agent,
          signal: AbortSignal.timeout(deadline),
        })
        return toResponse(answer.statusCode, answer.headers, await readBody(answer.body))
      } catch (error) {
        throw new TransportError(error)
      }
    },
  }
  return { client, close: () => agent.destroy() }
}

/** The connection and the length are ours to tell. */
function toHeaders(headers: object): Record<string, string> {
  const told = Object.entries(headers).filter(([name, value]) => value != null && !/^(connection|content-length|host)$/i.test(name))
  return Object.fromEntries(told.map(([name, value]) => [name, String(value)]))
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function toResponse(status: number, headers: Dispatcher.ResponseData['headers'], text: string): Stripe.HttpClientResponse {
  const raw = {}
  return {
    getStatusCode: () => status,
    getHeaders: () => headers as Record<string, string>,
    getRawResponse: () => raw,
    toStream: () => {
      throw new Error('nothing is streamed')
    },
    async toJSON() {
      const value: unknown = JSON.parse(text)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('the answer is no JSON object')
      // An error in a 2xx, or none in any other, is no answer of Stripe.
      const { error } = value as { error?: unknown }
      if (status < 300 !== (error === undefined) || (error !== undefined && (typeof error !== 'object' || error === null)))
        throw new SyntaxError(`HTTP ${status} without what belongs to it`)
      return value
    },
  }
}
