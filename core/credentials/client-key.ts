// The private key by which the gateway proves to an authorization server who it is.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { isPem } from '../pem.ts'
import { readOwnFile } from '../plugin/own-file.ts'

export interface ClientKey {
  readonly key: KeyObject
  readonly algorithm: 'ES256' | 'RS256'
}

/** Says nothing of the key itself. */
export interface KeyProblem {
  readonly problem: string
  readonly help: string
}

const MAX_BYTES = 64 * 1024
const LEAST_RSA_BITS = 2048

/** `given`: PEM, or the absolute path of a file with it that nobody else may read. */
export function readPrivateKey(given: string): ClientKey | KeyProblem {
  const key = readKey(given, HELP)
  if ('problem' in key) return key
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { key, algorithm: 'ES256' }
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_RSA_BITS) return { key, algorithm: 'RS256' }
  return { problem: `expected an EC P-256 key or an RSA key of at least ${LEAST_RSA_BITS} bits, found ${type ?? 'another'}`, help: HELP }
}

const HELP = 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.pem'

/** `help`: how to make one. */
export function readKey(given: string, help: string): KeyObject | KeyProblem {
  const pem = isPem(given) ? given : readPem(given, help)
  if (typeof pem === 'object') return pem
  try {
    return createPrivateKey(pem)
  } catch {
    return { problem: 'not the PEM of a private key', help }
  }
}

function readPem(path: string, help: string): string | KeyProblem {
  const found = readOwnFile(path, { isSecret: true, maxBytes: MAX_BYTES })
  switch (found.kind) {
    case 'missing':
      return { problem: 'the key file cannot be read (ENOENT)', help }
    case 'unreadable':
      return { problem: `the key file cannot be read (${found.code})`, help }
    case 'open':
      return { problem: 'others may read or change the key file', help: `chmod 600 ${path}` }
    case 'strange':
      return { problem: `the key file ${found.why}`, help: `chown root ${path}` }
    case 'read':
      return found.bytes.toString()
    default:
      return { problem: 'the path is not one of a file with a key', help }
  }
}
