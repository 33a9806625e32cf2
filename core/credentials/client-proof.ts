// How the gateway proves to an authorization server who it is: with its secret, or by signing with its key.
// Spec: RFC 6749, 2.3.1; RFC 7523, 3.
import { randomUUID } from 'node:crypto'
import type { OAuthClient } from '../config/schema.ts'
import type { Clock } from '../plugin/index.ts'
import { readPrivateKey } from './client-key.ts'

export interface Proof {
  readonly headers: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
}

const ASSERTION_S = 60
const NONE: Proof = { headers: {}, fields: {} }

/** `audience`: the issuer, where it is known, else the token endpoint. Rejects where the key cannot be read. */
export async function prove(client: OAuthClient, audience: string, clock: Pick<Clock, 'now'>): Promise<Proof> {
  const { clientId, clientSecret, privateKey } = client
  if (privateKey !== undefined) {
    return {
      ...NONE,
      fields: {
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await sign(client, privateKey, audience, clock),
      },
    }
  }
  if (clientSecret === undefined) return { ...NONE, fields: { client_id: clientId } }
  if (client.clientAuth === 'post') return { ...NONE, fields: { client_id: clientId, client_secret: clientSecret } }
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`
  return { ...NONE, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
}

async function sign({ clientId, keyId }: OAuthClient, given: string, audience: string, clock: Pick<Clock, 'now'>): Promise<string> {
  const read = readPrivateKey(given)
  if ('problem' in read) throw new Error(read.problem)
  const { SignJWT } = await import('jose')
  const now = Math.floor(clock.now() / 1000)
  return new SignJWT({})
    .setProtectedHeader({ alg: read.algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_S)
    .sign(read.key)
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
