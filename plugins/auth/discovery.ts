// Where an issuer says its keys are: OpenID Connect discovery, or else the metadata of RFC 8414.

import { StatusError } from './fetch-json.ts'
import { isAskable } from './jwt-config.ts'
import { type JsonMap, memberOf } from './strict-json.ts'

/** `get` fetches one document. Rejects where the metadata is not that of the issuer, or leads away from it. */
export async function findJwksUri(issuer: string, get: (url: string) => Promise<JsonMap>): Promise<string> {
  const metadata = await getMetadata(issuer, get)
  const { origin } = new URL(issuer)
  // Invariant: to the letter, so that one issuer's metadata is not taken for another's.
  if (memberOf(metadata, 'issuer') !== issuer) throw new Error(`${origin}: its metadata is of another issuer`)
  const uri = memberOf(metadata, 'jwks_uri')
  if (typeof uri !== 'string' || !isAskable(uri, true)) throw new Error(`${origin}: its metadata names no "jwks_uri" that can be asked`)
  if (new URL(uri).origin !== origin)
    throw new Error(`${origin}: its keys are said to be at ${new URL(uri).origin}; if they are, name the place as "jwks"`)
  return uri
}

async function getMetadata(issuer: string, get: (url: string) => Promise<JsonMap>): Promise<JsonMap> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  try {
    // Spec: OpenID Connect Discovery 1.0, 4: after the path.
    return await get(`${origin}${path}/.well-known/openid-configuration`)
  } catch (error) {
    if (!(error instanceof StatusError) || error.status < 400 || error.status > 499) throw error
  }
  // Spec: RFC 8414, 3.1: before the path.
  return get(`${origin}/.well-known/oauth-authorization-server${path}`)
}
