// The certificate that the gateway shows: read at the start, and again when its files change; what cannot be used leaves in force what is.
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { TlsConfig } from '../config/schema.ts'
import type { Health } from '../health.ts'
import type { Clock, Log } from '../plugin/index.ts'
import type { SecretFault } from '../secrets.ts'
import { contextOf, readMaterial, TlsFault } from './tls-material.ts'

export interface TlsKeeper {
  readonly options: TlsOptions
  /** Whom to tell of another certificate. Connections that stand keep theirs. */
  attach(server: { setSecureContext(options: SecureContextOptions): void }): void
  /** Reads the files again, and a key that is a secret. */
  reload(): Promise<void>
  stop(): void
}

export interface TlsSurroundings {
  readonly clock: Clock
  readonly log: Log
  readonly health?: Pick<Health, 'component'> | undefined
  /** For a key that is a secret. */
  getSecret?(name: string): Promise<string | SecretFault | undefined>
}

const LOOK_MS = 5000
const HANDSHAKE_MS = 10_000
/** Rejects with a TlsFault. */
export async function openTls(config: TlsConfig, { clock, log, health, getSecret }: TlsSurroundings): Promise<TlsKeeper> {
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

  /** Whoever keeps secrets is not asked every few seconds: only with another certificate, or where somebody wants it. */
  async function findKey(cert: Buffer, isWanted: boolean): Promise<Buffer> {
    if (cert.equals(material.cert) && !isWanted) return material.key
    const value = await getSecret!(config.keySecret!)
    if (typeof value === 'string') return Buffer.from(value)
    throw new TlsFault('key', value?.problem ?? `there is no secret ${config.keySecret}`, value?.help)
  }

  async function read(isWanted: boolean): Promise<void> {
    try {
      const isSecret = config.keySecret !== undefined && getSecret !== undefined
      const next = await readMaterial(config, isSecret ? cert => findKey(cert, isWanted) : undefined)
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
    void readOnce(false).then(() => {
      if (!stopped) cancel = clock.after(LOOK_MS, look)
    })
  }

  function readOnce(isWanted: boolean): Promise<void> {
    reading ??= read(isWanted).finally(() => {
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
    async reload() {
      // One that is under way may not have asked for the secret.
      await reading
      await readOnce(true)
    },
    stop() {
      stopped = true
      cancel()
      component?.remove()
    },
  }
}
