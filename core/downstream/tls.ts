// The certificate that the gateway shows: read at the start, and again when its files change; what cannot be used leaves in force what is.
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { NamedFileFault, readNamedFile } from '../config/named-file.ts'
import type { TlsConfig } from '../config/schema.ts'
import { isPem } from '../config/tls-shape.ts'
import type { Health } from '../health.ts'
import type { Clock, Log } from '../plugin/index.ts'

export interface TlsKeeper {
  readonly options: TlsOptions
  /** Whom to tell of another certificate. Connections that stand keep theirs. */
  attach(server: { setSecureContext(options: SecureContextOptions): void }): void
  /** Reads the files again. */
  reload(): Promise<void>
  stop(): void
}

export interface TlsSurroundings {
  readonly clock: Clock
  readonly log: Log
  readonly health?: Pick<Health, 'component'> | undefined
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

const LOOK_MS = 5000
const HANDSHAKE_MS = 10_000
// Spec: RFC 9325, 4.2: with TLS 1.2 only suites with forward secrecy and AEAD.
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  ...['ECDSA', 'RSA'].flatMap(kind =>
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map(suite => `ECDHE-${kind}-${suite}`),
  ),
].join(':')

interface Material {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca: Buffer | undefined
  readonly digest: string
  /** ms since 1970. */
  readonly expires: number
}

/** Rejects with a TlsFault. */
export async function openTls(config: TlsConfig, { clock, log, health }: TlsSurroundings): Promise<TlsKeeper> {
  const component = health?.component('tls')
  let material = await readMaterial(config)
  let server: Parameters<TlsKeeper['attach']>[0] | undefined
  let fault = ''
  let reading: Promise<void> | undefined
  let cancel = clock.after(LOOK_MS, look)
  let stopped = false

  function tell(): void {
    const expired = material.expires <= clock.now() ? `the certificate has expired on ${new Date(material.expires).toISOString()}` : ''
    const why = [fault, expired].filter(one => one !== '').join('; ')
    component?.set(why === '' ? undefined : { status: 'degraded', why })
  }

  async function read(): Promise<void> {
    try {
      const next = await readMaterial(config)
      fault = ''
      if (next.digest !== material.digest && !stopped) {
        server?.setSecureContext(contextOf(config, next))
        material = next
        log.info('another certificate is in use', { expires: new Date(next.expires).toISOString() })
      }
    } catch (error) {
      const why = `the certificate in use stays: ${(error as Error).message}`
      if (why !== fault) log.error('the files of the certificate cannot be used', { detail: (error as Error).message })
      fault = why
    }
    tell()
  }

  function look(): void {
    void reload().then(() => {
      if (!stopped) cancel = clock.after(LOOK_MS, look)
    })
  }

  function reload(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  tell()
  return {
    options: {
      ...contextOf(config, material),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: config.clientCertificates !== 'none',
      // Otherwise a certificate that cannot be verified is none: see `certificateOf`.
      rejectUnauthorized: config.clientCertificates === 'required',
    },
    attach(given) {
      server = given
    },
    reload,
    stop() {
      stopped = true
      cancel()
      component?.remove()
    },
  }
}

function contextOf({ minVersion }: TlsConfig, { cert, key, ca }: Material): SecureContextOptions {
  return { cert, key, ...(ca && { ca }), minVersion: `TLSv${minVersion}`, ciphers: CIPHERS, honorCipherOrder: true }
}

async function readMaterial(config: TlsConfig): Promise<Material> {
  const cert = await readFor('cert', config.cert, config.root)
  const key = isPem(config.key) ? Buffer.from(config.key) : await readFor('key', config.key, config.root)
  const ca = config.ca === undefined ? undefined : await readFor('ca', config.ca, config.root)
  const [own] = certificatesOf('cert', config.cert, cert)
  if (ca !== undefined) certificatesOf('ca', config.ca!, ca)
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
  const material = { cert, key, ca, digest: digest.digest('hex'), expires: Date.parse(own!.validTo) }
  try {
    createSecureContext(contextOf(config, material))
  } catch (error) {
    throw new TlsFault('cert', `${config.cert} cannot be used: ${(error as Error).message}`)
  }
  return material
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
