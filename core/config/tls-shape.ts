// `listen.tls`: the certificate of the gateway, and whether clients show theirs.
import * as z from 'zod'
import { isPem } from '../pem.ts'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { coded, words as path } from './fields.ts'
import type { TlsConfig } from './schema.ts'
import { find, type Source } from './tree.ts'

export interface TlsShape {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
  readonly clientCertificates?: TlsConfig['clientCertificates'] | undefined
  readonly minVersion?: string | number | undefined
}

export const tlsShape: z.ZodType<TlsShape> = z
  .strictObject({
    cert: path.meta({ description: 'PEM file: the certificate of the gateway, then those of intermediate authorities' }),
    key: path.meta({ description: 'PEM file of its private key, which nobody else may read (mode 0600), or ${secret:NAME}' }),
    ca: path.optional().meta({ description: 'PEM file: the authorities that sign the certificates of clients' }),
    clientCertificates: z.enum(['none', 'optional', 'required']).optional().meta({
      description: 'Whether clients are asked for a certificate; default none. One that `ca` did not sign proves nothing',
    }),
    minVersion: z
      .union([z.string(), z.number()])
      .refine(value => /^1\.[23]$/.test(String(value)), coded('bad-value', 'not a version of TLS: write 1.2 or 1.3'))
      .optional()
      .meta({ description: 'Of TLS, default 1.2' }),
  })
  .superRefine(({ ca, clientCertificates = 'none' }, ctx) => {
    // Without it every authority that browsers trust could let clients in.
    if (clientCertificates !== 'none' && ca === undefined)
      ctx.addIssue({
        code: 'custom',
        path: ['clientCertificates'],
        message: `"${clientCertificates}" needs "ca"`,
        params: { code: 'missing-key' },
      })
    if (clientCertificates === 'none' && ca !== undefined)
      ctx.addIssue({ code: 'custom', path: ['ca'], message: '"ca" needs "clientCertificates"', params: { code: 'missing-key' } })
  })
  .meta({ description: 'HTTPS in place of HTTP; the files are read again when they change, and on SIGHUP' })

/** `keySecret`: the secret that its key is. `resolvePath`: to an absolute path. A key that is no path stays as it is. */
export function buildTls(shape: TlsShape, keySecret: string | undefined, root: string, resolvePath: (path: string) => string): TlsConfig {
  const { cert, key, ca, clientCertificates = 'none', minVersion = '1.2' } = shape
  return {
    cert: resolvePath(cert),
    key: isPem(key) ? key : resolvePath(key),
    ...(isPem(key) && keySecret !== undefined && { keySecret }),
    ...(ca !== undefined && { ca: resolvePath(ca) }),
    clientCertificates,
    minVersion: String(minVersion) === '1.3' ? '1.3' : '1.2',
    root,
  }
}

/** A key that stands in the text of the config is no secret. */
export function checkKeyText(source: Source): Diagnostic[] {
  const key = find(source.root, ['listen', 'tls', 'key'])
  if (key?.kind !== 'scalar' || typeof key.value !== 'string' || !isPem(key.value) || /^\$\{secret:[^${}]*\}$/.test(key.written ?? ''))
    return []
  const help = 'give the path of its file, or ${secret:NAME} and nothing beside it'
  return [diagnose(source, key.span, { code: 'bad-value', message: 'a private key cannot stand in the config', help })]
}
