// The private key by which this gateway signs what it asks of another one, and the id by which that one knows the public key.
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { type KeyProblem, readKey } from './client-key.ts'

export interface GatewayKey {
  readonly key: KeyObject
  /** Of the public key. Spec: RFC 7638. */
  readonly id: string
}

const HELP = 'openssl genpkey -algorithm ed25519 -out gateway.pem'

/** `given`: PEM, or the absolute path of a file with it that nobody else may read. One algorithm, so that there is none to be talked into. */
export function readGatewayKey(given: string): GatewayKey | KeyProblem {
  const key = readKey(given, HELP)
  if ('problem' in key) return key
  if (key.asymmetricKeyType !== 'ed25519')
    return { problem: `expected an Ed25519 key, found ${key.asymmetricKeyType ?? 'another'}`, help: HELP }
  const { crv, kty, x } = createPublicKey(key).export({ format: 'jwk' })
  return { key, id: hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url') }
}
