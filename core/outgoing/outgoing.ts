// The guarded way out: an address is looked up once, checked, and connected to as it was checked; nothing leads elsewhere.
import { lookup as lookUp } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Agent } from 'undici'
import type { Outgoing, OutgoingAnswer, OutgoingRequest } from '../plugin/index.ts'
import { isPublicAddress } from './public-address.ts'

export interface ClosableOutgoing extends Outgoing {
  close(): Promise<void>
}

/** As `dns.lookup` with `all`; a test has its own. */
export type Resolve = typeof lookUp

const IDLE_MS = 10_000

export function createOutgoing(resolve: Resolve = lookUp): ClosableOutgoing {
  const agents = new Map<OutgoingRequest['origin'], Promise<Agent>>()

  function agentFor(origin: OutgoingRequest['origin']): Promise<Agent> {
    let agent = agents.get(origin)
    if (agent === undefined) {
      agent = open(origin === 'discovered' ? isPublicAddress : () => true)
      agents.set(origin, agent)
    }
    return agent
  }

  async function open(mayReach: (address: string) => boolean): Promise<Agent> {
    const { Agent } = await import('undici')
    return new Agent({ connect: { lookup: checkedLookup(resolve, mayReach) }, keepAliveTimeout: IDLE_MS })
  }

  return {
    async request(text, options) {
      const url = readUrl(text, options.origin)
      const { request } = await import('undici')
      const over = AbortSignal.timeout(options.timeout)
      const signal = options.signal === undefined ? over : AbortSignal.any([options.signal, over])
      try {
        const { statusCode, headers, body } = await request(url, {
          dispatcher: await agentFor(options.origin),
          method: options.method ?? 'GET',
          headers: { 'accept-encoding': 'identity', ...options.headers },
          body: options.body ?? null,
          signal,
        })
        const bytes = await readBody(body, options.maxBytes)
        return answerOf(statusCode, headers, bytes)
      } catch (error) {
        throw new Error(describe(error, url, over, options), { cause: error })
      }
    },
    async close() {
      await Promise.all([...agents.values()].map(async agent => (await agent).destroy()))
    },
  }
}

function readUrl(text: string, origin: OutgoingRequest['origin']): URL {
  if (!URL.canParse(text)) throw new Error('not a url')
  const url = new URL(text)
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || origin === 'discovered'))
    throw new Error(`${url.origin}: expected https, found ${url.protocol.slice(0, -1)}`)
  if (url.username !== '' || url.password !== '') throw new Error(`${url.origin}: a url with a password in it is not asked`)
  // Literal addresses are connected to without being looked up.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (origin === 'discovered' && isIP(host) !== 0 && !isPublicAddress(host)) throw new Error(`${url.origin}: ${NOT_PUBLIC}`)
  return url
}

const NOT_PUBLIC = 'its address is not on the public internet'

/** Looks up, and gives back only what may be reached; none where one of them may not. */
export function checkedLookup(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { family: options.family ?? 0, hints: options.hints ?? 0, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      // One among them that may not be reached spoils all: which of them is taken is not ours to say.
      const isSafe = addresses.length > 0 && addresses.every(({ address }) => mayReach(address))
      if (!isSafe) return callback(new Error(NOT_PUBLIC), '', 0)
      if (options.all === true) return callback(null, [...addresses])
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

async function readBody(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > maxBytes) {
      body.destroy()
      throw new TooLong()
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}

class TooLong extends Error {}

function answerOf(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, body: Uint8Array): OutgoingAnswer {
  return {
    status,
    body,
    header(name) {
      const value = headers[name]
      return typeof value === 'string' ? value : undefined
    },
  }
}

function describe(error: unknown, { origin }: URL, over: AbortSignal, { timeout, maxBytes }: OutgoingRequest): string {
  if (over.aborted) return `${origin}: no whole answer within ${timeout} ms`
  if (error instanceof TooLong) return `${origin}: the answer is longer than ${maxBytes} bytes`
  const { code, message } = error as Error & { readonly code?: string }
  return `${origin}: ${message === NOT_PUBLIC ? NOT_PUBLIC : (code ?? message)}`
}
