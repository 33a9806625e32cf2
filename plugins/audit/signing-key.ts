// The key that signs checkpoints: an Ed25519 key in a file of its own, and beside the log the text by which others know it.
import { createPublicKey, generateKeyPairSync, hash } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { readOwnFile, type Stores } from 'mcpgw/plugin'
import { readVerifier, type Signer, signerOf, type Trusted, verifierText } from './note.ts'

const MAX_BYTES = 65_536

/** Makes the file (PKCS #8 PEM, mode 0600) where there is none. Throws where it is no Ed25519 key, or where others may read it. */
export function loadSigningKey(stores: Stores, path: string): Signer {
  return readSigningKey(path) ?? create(stores, path)
}

/** Undefined where there is no such file. */
export function readSigningKey(path: string): Signer | undefined {
  const found = readOwnFile(path, { isSecret: true, noLink: true, maxBytes: MAX_BYTES })
  switch (found.kind) {
    case 'missing':
      return undefined
    case 'unreadable':
      throw new Error(`${path}: cannot be read: ${found.code}`)
    case 'open':
      throw new Error(`${path}: others may read it, so it proves nothing; chmod 600 it, or move it away to begin a new one`)
    case 'strange':
      throw new Error(`${path}: ${found.why}, so it proves nothing; chown it, or move it away to begin a new one`)
    case 'read':
      return named(path, found.bytes.toString())
    default:
      throw new Error(`${path}: expected a file with an Ed25519 key (PKCS #8 PEM)`)
  }
}

/** The log is named after its key: the name is as stable as the key is, and nobody has to choose it. */
function named(path: string, pem: string): Signer {
  try {
    const { key } = signerOf('', pem)
    const id = hash('sha256', createPublicKey(key).export({ format: 'der', type: 'spki' }), 'hex').slice(0, 16)
    return { name: `mcpgw/audit/${id}`, key }
  } catch (error) {
    throw new Error(`${path}: expected an Ed25519 key (PKCS #8 PEM): ${(error as Error).message}`)
  }
}

function create(stores: Stores, path: string): Signer {
  stores.createPrivate(path, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
  const made = readSigningKey(path)
  if (made === undefined) throw new Error(`${path}: was taken away while it was made`)
  return made
}

/** Adds the text by which others know the key to the file, where it is not there. Those of earlier keys stay: what they signed is still to be checked. */
export function publishVerifier(path: string, signer: Signer): void {
  const text = verifierText(signer)
  if (readText(path)?.split('\n').includes(text) === true) return
  appendFileSync(path, `${text}\n`, { mode: 0o600 })
}

/** Those of a file with one on each line. A string says why there are none. */
export function readVerifiers(path: string): readonly Trusted[] | string {
  const lines = readText(path)
    ?.split('\n')
    .filter(line => line.trim() !== '')
  if (lines === undefined) return `${path}: cannot be read`
  const found = lines.map(readVerifier)
  const bad = found.indexOf(undefined)
  if (bad >= 0 || found.length === 0) return `${path}: expected a verifier on each line, as \`mcpgw audit key\` prints it`
  return found as Trusted[]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
