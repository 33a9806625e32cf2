// What `listen.tls` names, read and held against each other: the certificate, its key, and the authorities of clients.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { NamedFileFault, readNamedFile } from '../config/named-file.ts'
import type { TlsConfig } from '../config/schema.ts'
import { isPem } from '../pem.ts'

export interface Material {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca: Buffer | undefined
  readonly digest: string
  /** As they stand in the file: the gateway's own first. */
  readonly chain: readonly X509Certificate[]
  /** Those of `ca`. */
  readonly authorities: readonly X509Certificate[]
  /** ms since 1970. */
  readonly expires: number
}

/** What of `listen.tls` cannot be used, and why. */
export class TlsFault extends Error {
  readonly field: 'cert' | 'key' | 'ca'
  readonly help: string | undefined

  constructor(field: TlsFault['field'], message: string, help?: string) {
    super(message)
    this.name = 'TlsFault'
    this.field = field
    this.help = help
  }
}

// Spec: RFC 9325, 4.2: with TLS 1.2 only suites with forward secrecy and AEAD.
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  ...['ECDSA', 'RSA'].flatMap(kind =>
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map(suite => `ECDHE-${kind}-${suite}`),
  ),
].join(':')

export function contextOf({ minVersion }: Pick<TlsConfig, 'minVersion'>, { cert, key, ca }: Material): SecureContextOptions {
  return { cert, key, ...(ca && { ca }), minVersion: `TLSv${minVersion}`, ciphers: CIPHERS, honorCipherOrder: true }
}

/** `findKey`: where else the key of this certificate is than the config says. Rejects with a TlsFault. */
export async function readMaterial(config: TlsConfig, findKey?: (cert: Buffer) => Promise<Buffer>): Promise<Material> {
  const { cert, chain } = await readChain(config)
  const key = (await findKey?.(cert)) ?? (await readKey(config))
  const ca = config.ca === undefined ? undefined : await readFor('ca', config.ca, config.root)
  const [own] = chain
  const authorities = ca === undefined ? [] : certificatesOf('ca', config.ca!, ca)
  const named = isPem(config.key) ? 'the key' : config.key
  let isPair: boolean
  try {
    isPair = own!.checkPrivateKey(createPrivateKey(key))
  } catch {
    throw new TlsFault('key', `${named} holds no private key that can be read: expected unencrypted PEM`)
  }
  if (!isPair) throw new TlsFault('key', `${named} is not the key of the certificate in ${config.cert}`)
  const digest = createHash('sha256')
  for (const part of [cert, key, ca ?? Buffer.alloc(0)]) digest.update(`${part.length} `).update(part)
  const material = { cert, key, ca, digest: digest.digest('hex'), chain, authorities, expires: Date.parse(own!.validTo) }
  try {
    createSecureContext(contextOf(config, material))
  } catch (error) {
    throw new TlsFault('cert', `${config.cert} cannot be used: ${(error as Error).message}`)
  }
  return material
}

/** Rejects with a TlsFault. */
export async function readChain({ cert: path, root }: TlsConfig): Promise<Pick<Material, 'cert' | 'chain'>> {
  const cert = await readFor('cert', path, root)
  return { cert, chain: certificatesOf('cert', path, cert) }
}

/** Rejects with a TlsFault. */
export async function readKey({ key, root }: TlsConfig): Promise<Buffer> {
  return isPem(key) ? Buffer.from(key) : readFor('key', key, root)
}

async function readFor(field: TlsFault['field'], path: string, root: string): Promise<Buffer> {
  try {
    return await readNamedFile({ path, root, secret: field === 'key' })
  } catch (error) {
    if (error instanceof NamedFileFault) throw new TlsFault(field, error.message, error.help)
    throw error
  }
}

function certificatesOf(field: 'cert' | 'ca', path: string, pem: Buffer): X509Certificate[] {
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  try {
    const all = blocks.map(block => new X509Certificate(block))
    if (all.length > 0) return all
  } catch {}
  throw new TlsFault(field, `${path} holds no certificate that can be read: expected PEM`)
}
