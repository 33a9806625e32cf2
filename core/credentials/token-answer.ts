// What a token endpoint answers, read strictly: whatever is not a bearer token that a header can carry is none.
// Spec: RFC 6749, 5.1 and 5.2; RFC 6750, 2.1.
import { isFault, Json, type JsonLimits } from '../mcp/json.ts'
import type { OutgoingAnswer } from '../plugin/index.ts'

export interface Token {
  readonly access: string
  /** As the endpoint says; within bounds. */
  readonly lifeMs: number
  /** For the next one, where the endpoint gives it. */
  readonly refresh?: string
  /** What was granted, where that is said. */
  readonly scope?: string
}

/** `error`: the code of RFC 6749, where it is one. `retryAfterMs`: what the endpoint asks for. */
export interface TokenRefusal {
  readonly why: string
  readonly error?: string
  readonly retryAfterMs?: number
}

/** An endpoint that names no time means some; one that names none or an endless one is not believed: each request would fetch a token, or none ever. */
const UNSAID_MS = 300_000
const LEAST_MS = 5000
const MOST_MS = 86_400_000
const MAX_TOKEN = 16 * 1024
const LIMITS: JsonLimits = { bytes: 256 * 1024, depth: 32, keys: 10_000 }
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

export function readTokenAnswer(answer: OutgoingAnswer): Token | TokenRefusal {
  const body = readObject(answer.body)
  if (answer.status !== 200) return refusalOf(answer, body)
  if (body === undefined) return { why: 'its answer is not a JSON object' }
  const { access_token: access, token_type: type, expires_in: life, refresh_token: refresh, scope } = body
  if (typeof access !== 'string' || access.length > MAX_TOKEN || !TOKEN.test(access)) return { why: 'its answer holds no access token' }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return { why: 'its token is not of type Bearer' }
  if (refresh !== undefined && (typeof refresh !== 'string' || refresh === '' || refresh.length > MAX_TOKEN))
    return { why: 'its refresh token is not a text' }
  return {
    access,
    lifeMs: readLife(life),
    ...(refresh !== undefined && { refresh }),
    ...(typeof scope === 'string' && { scope }),
  }
}

/** Some endpoints write the number as a text. */
function readLife(given: unknown): number {
  if (given === undefined || given === null) return UNSAID_MS
  const seconds = typeof given === 'string' && /^\d{1,12}$/.test(given) ? Number(given) : given
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return UNSAID_MS
  return Math.min(Math.max(seconds * 1000, LEAST_MS), MOST_MS)
}

function refusalOf(answer: OutgoingAnswer, body: Readonly<Record<string, unknown>> | undefined): TokenRefusal {
  const { status } = answer
  // Its description is a text of somebody else's and is shown to nobody.
  const error = typeof body?.error === 'string' && /^[a-z_]{1,40}$/.test(body.error) ? body.error : undefined
  const wait = answer.header('retry-after') ?? ''
  return {
    why: `it answers HTTP ${status}${error === undefined ? '' : ` ${error}`}`,
    ...(error !== undefined && { error }),
    ...(/^\d{1,5}$/.test(wait) && { retryAfterMs: Number(wait) * 1000 }),
  }
}

/** Strangers' JSON, as strictly as a message: of an object with a key twice another reader would take the other value. */
export function readObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const json = Json.scan(bytes, LIMITS)
  return isFault(json) || json.type !== 'object' ? undefined : (json.value as Readonly<Record<string, unknown>>)
}
