// The method "certificate": whom a client certificate stands for, that the listener asked for and verified.
import { identify, type PeerCertificate } from 'mcpgw/plugin'
import { z } from 'zod'
import type { CertificateAnswer, CertificateMethod } from './authenticate.ts'
import { aboutPrincipal, id, type PrincipalConfig } from './principal-shape.ts'
import { makePrincipal } from './ring.ts'

/** Either `principal`, or `transportOnly`: the certificate lets a connection through, and proves nothing of who makes a request. */
export interface CertificateConfig {
  /** All that stand here must fit, to the letter. */
  readonly match: { readonly san?: string | undefined; readonly commonName?: string | undefined; readonly fingerprint?: string | undefined }
  readonly principal?: PrincipalConfig | undefined
  readonly transportOnly?: true | undefined
}

const line = z.string().min(1)

export const certificateSchema: z.ZodType<CertificateConfig> = z
  .strictObject({
    match: z
      .strictObject({
        san: z
          .string()
          .regex(/^[A-Za-z ]+:./, 'a name is written with its kind: DNS:host, URI:spiffe://..., email:...')
          .optional(),
        commonName: line.optional(),
        fingerprint: z
          .string()
          .transform(text => text.replaceAll(':', '').toLowerCase())
          .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'a fingerprint is a SHA-256 in hex'))
          .optional(),
      })
      .refine(match => Object.values(match).some(value => value !== undefined), 'name at least one of san, commonName and fingerprint'),
    principal: z.strictObject({ id, ...aboutPrincipal }).optional(),
    transportOnly: z.literal(true).optional(),
  })
  .refine(({ principal, transportOnly }) => (principal === undefined) !== (transportOnly === undefined), {
    message: 'name a principal, or say transportOnly: true',
  })

const transport: CertificateAnswer = Object.freeze({ kind: 'transport' })

/** Without entries no certificate is a credential. */
export function createCertificateMethod(entries: readonly CertificateConfig[]): CertificateMethod {
  // One object for each connection.
  const answered = new WeakMap<PeerCertificate, CertificateAnswer>()

  function find(certificate: PeerCertificate): CertificateAnswer {
    const { fingerprint } = certificate
    const [entry, ...others] = entries.filter(({ match }) => fits(match, certificate))
    if (entry === undefined) return { kind: 'closed', why: `certificate ${fingerprint} is nobody's` }
    // Invariant: which of two principals counts is never ours to guess.
    if (others.length > 0) return { kind: 'closed', why: `certificate ${fingerprint} fits ${others.length + 1} entries` }
    if (entry.principal === undefined) return transport
    const { id, name, roles, tenant, claims } = entry.principal
    return Object.freeze(identify(makePrincipal(id, name, roles, tenant, { method: 'certificate', keyId: fingerprint }, claims)))
  }

  return certificate => {
    if (entries.length === 0) return transport
    let answer = answered.get(certificate)
    if (answer === undefined) {
      answer = find(certificate)
      answered.set(certificate, answer)
    }
    return answer
  }
}

function fits({ san, commonName, fingerprint }: CertificateConfig['match'], certificate: PeerCertificate): boolean {
  return (
    (san === undefined || certificate.names.includes(san)) &&
    (commonName === undefined || certificate.commonName === commonName) &&
    (fingerprint === undefined || certificate.fingerprint === fingerprint)
  )
}
