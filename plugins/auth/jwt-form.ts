// The outer form of a token: three parts of base64url, a header that says no more than it may, a payload that is one JSON object.
import { type JsonMap, memberOf, readJsonMap } from './strict-json.ts'

export const maxTokenLength = 8192

export interface TokenHead {
  readonly kid: string | undefined
  readonly alg: string
  /** In lower case, without `application/`; undefined where the header has none. */
  readonly typ: string | undefined
}
export interface ReadToken extends TokenHead {
  /** Nothing of it is true before the signature is checked. */
  readonly payload: JsonMap
}

const threeParts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/

/** True where it can be nothing but a token, good or bad: an API key does not begin with the brace of a JSON object. */
export function hasTokenForm(text: string): boolean {
  // The first four characters are three bytes; JSON may begin with white space.
  if (!threeParts.test(text)) return false
  return /^[ \t\r\n]*\{/.test(Buffer.from(text.slice(0, 64), 'base64url').toString('latin1'))
}

/** `why` quotes nothing of the token. */
export function readToken(text: string): ReadToken | { readonly why: string } {
  const parts = readParts(text)
  if ('why' in parts) return parts
  const body = readJsonMap(parts.body)
  return 'why' in body ? { why: `a token whose payload is ${body.why}` } : { ...parts.head, payload: body.map }
}

/** Before it is known what the payload is. */
export function readParts(text: string): { readonly head: TokenHead; readonly body: Uint8Array } | { readonly why: string } {
  if (text.length > maxTokenLength) return { why: `a token of more than ${maxTokenLength} characters` }
  const [header, body, signature, ...others] = text.split('.').map(readPart)
  if (header === undefined || body === undefined || signature === undefined || others.length > 0)
    return { why: 'a token that is not three parts of base64url' }
  if (signature.length === 0) return { why: 'a token without a signature' }
  const read = readJsonMap(header)
  if ('why' in read) return { why: `a token whose header is ${read.why}` }
  const head = readHeader(read.map)
  return 'why' in head ? head : { head, body }
}

/** Undefined where it is not written as it would be written from its bytes: padding, other alphabets, bits that are left over. */
function readPart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** Keys and addresses of keys that a header names (jwk, jku, x5c, x5u) are not looked at: who signs must not say by what it is checked. */
function readHeader(header: JsonMap): TokenHead | { readonly why: string } {
  for (const name of ['crit', 'b64', 'zip', 'enc']) if (Object.hasOwn(header, name)) return { why: `a token with "${name}" in its header` }
  const alg = memberOf(header, 'alg')
  if (typeof alg !== 'string') return { why: 'a token without an algorithm' }
  const kid = memberOf(header, 'kid')
  if (kid !== undefined && (typeof kid !== 'string' || !/^[\x20-\x7e]{1,256}$/.test(kid)))
    return { why: 'a token with a "kid" that is no id' }
  const typ = memberOf(header, 'typ')
  if (typ !== undefined && typeof typ !== 'string') return { why: 'a token with a "typ" that is no text' }
  return { alg, kid, typ: typ?.toLowerCase().replace(/^application\//, '') }
}
