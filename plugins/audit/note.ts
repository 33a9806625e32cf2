// Signed notes: text that anybody can read, and lines below it that say who vouches for it. Spec: C2SP signed-note.
import { createHash, createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/** Whoever has it can vouch. `name` holds neither spaces nor plus signs. */
export interface Signer {
  readonly name: string
  readonly key: KeyObject
}
/** Whom one trusts, and nothing else: as printed by `verifierText`. */
export interface Trusted {
  readonly name: string
  /** The first four bytes of a hash of name and key, hex. */
  readonly id: string
  readonly key: KeyObject
}

const ED25519 = 1
/** What DER puts before the 32 bytes of a public key (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const SIGNATURE = /^\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})$/

/** `pem`: PKCS #8, of an Ed25519 key. Throws where it is none. */
export function signerOf(name: string, pem: string): Signer {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`expected an Ed25519 key, found ${key.asymmetricKeyType}`)
  return { name, key }
}

const publicBytes = (key: KeyObject): Buffer => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)

function keyId(name: string, raw: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([ED25519]))
    .update(raw)
    .digest()
    .subarray(0, 4)
}

/** `name+id+key`, to be kept where the log is not. */
export function verifierText({ name, key }: Signer): string {
  const raw = publicBytes(key)
  return `${name}+${keyId(name, raw).toString('hex')}+${Buffer.concat([Buffer.from([ED25519]), raw]).toString('base64')}`
}

/** Undefined where the text is no verifier of this kind. */
export function readVerifier(text: string): Trusted | undefined {
  const [, name, id, encoded] = /^([^ +]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? []
  if (name === undefined || id === undefined || encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  const raw = bytes.subarray(1)
  if (bytes[0] !== ED25519 || raw.length !== 32 || keyId(name, raw).toString('hex') !== id) return undefined
  return { name, id, key: createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }) }
}

/** `text` ends with a line break. */
export function signNote({ name, key }: Signer, text: string): string {
  const signature = sign(undefined, Buffer.from(text), key)
  return `${text}\n\u2014 ${name} ${Buffer.concat([keyId(name, publicBytes(key)), signature]).toString('base64')}\n`
}

/** The text of a note that `trusted` vouches for; undefined where it does not. */
export function openNote(note: string, trusted: Trusted): string | undefined {
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) return undefined
  const text = note.slice(0, split + 1)
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [, name, encoded] = SIGNATURE.exec(line) ?? []
    if (name === undefined || encoded === undefined) return undefined
    const bytes = Buffer.from(encoded, 'base64')
    // Base64 has unused bits at its end: another text of the same bytes is a changed note.
    if (bytes.toString('base64') !== encoded) return undefined
    if (name !== trusted.name || bytes.subarray(0, 4).toString('hex') !== trusted.id) continue
    if (verify(undefined, Buffer.from(text), trusted.key, bytes.subarray(4))) return text
  }
  return undefined
}

/** What `read` makes of a note that one of `trusted` signed in the name of its log. Undefined where none did. */
export function openSigned<Signed extends { readonly origin: string }>(
  note: string,
  trusted: readonly Trusted[],
  read: (text: string) => Signed | undefined,
): Signed | undefined {
  for (const one of trusted) {
    const text = openNote(note, one)
    const signed = text === undefined ? undefined : read(text)
    if (signed?.origin === one.name) return signed
  }
  return undefined
}

/** By which a record names a note: `sha256:` and 64 hex digits. */
export const digestOf = (note: string): string => `sha256:${hash('sha256', note, 'hex')}`
