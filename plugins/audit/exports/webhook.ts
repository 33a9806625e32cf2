// Brings batches to a web address: signed, with a key by which the receiver knows a repetition. Any 2xx is a yes, and no redirect is followed.
import { createHmac } from 'node:crypto'
import type { Clock } from 'mcpgw/plugin'
import { showAddress } from '../addresses.ts'
import { type Batch, keyOf, type Limits, Refused, type Target } from './batch.ts'

export interface WebhookOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the signature; undefined: none. */
  readonly secret: string | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly contentType: string
  /** ms that an answer may take. */
  readonly timeout: number
}

const LIMITS: Limits = { records: 1000, bytes: 1_048_576 }

export function webhookTarget({ url, headers, secret, clock, contentType, timeout }: WebhookOptions): Target {
  return {
    name: showAddress(url),
    limits: LIMITS,
    async deliver(batch, signal) {
      const body = `${batch.lines.join('\n')}\n`
      const all = { ...headers, ...describe(batch), ...sign(secret, body, clock), 'content-type': contentType }
      await post(url, body, all, { timeout, clock, signal })
    },
  }
}

export interface PostOptions {
  /** ms that an answer may take. */
  readonly timeout: number
  readonly clock: Pick<Clock, 'now'>
  readonly signal: AbortSignal
}

/** Rejects unless the answer is a 2xx, with `Refused` where there is another one; resolves to its body, of which no more is read than a receiver has to say. */
export async function post(
  url: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
  { timeout, clock, signal }: PostOptions,
): Promise<string> {
  const { request } = await import('undici')
  const answer = await request(url, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  })
  let said = ''
  for await (const chunk of answer.body) if (said.length < 65_536) said += Buffer.from(chunk as Uint8Array).toString()
  const { statusCode } = answer
  if (statusCode < 200 || statusCode > 299)
    throw new Refused(`answered ${statusCode}`, statusCode, readWait(answer.headers['retry-after'], clock))
  return said
}

/** ms, of `Retry-After`: seconds or a date (RFC 9110); 0 where it says neither. */
export function readWait(header: string | readonly string[] | undefined, clock: Pick<Clock, 'now'>): number {
  const text = String(header ?? '').trim()
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now()
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0)
}

function describe(batch: Batch): Record<string, string> {
  return { 'idempotency-key': keyOf(batch), 'mcpgw-stream': batch.stream, 'mcpgw-from': `${batch.from}`, 'mcpgw-to': `${batch.to}` }
}

/** `t`: seconds since 1970. `v1`: HMAC-SHA-256 of `t`, a point and the body, in hex. */
export function sign(secret: string | undefined, body: string, clock: Pick<Clock, 'now'>): Record<string, string> {
  if (secret === undefined) return {}
  const at = Math.floor(clock.now() / 1000)
  return { 'mcpgw-signature': `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}` }
}
