// Authorities and certificates for tests, made by the openssl program in folders of their own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface Issued {
  /** Paths of PEM files; the key has mode 0600. */
  readonly cert: string
  readonly key: string
  readonly pem: { readonly cert: string; readonly key: string }
}

export interface Authority {
  readonly dir: string
  /** Path and text of its own certificate. */
  readonly ca: string
  readonly pem: string
  /** `names`: as in subjectAltName; `days`: may be negative. */
  issue(name: string, options?: { subject?: string; names?: string; days?: number }): Issued
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Taken away at the end of the test. */
export function createAuthority(name = 'test authority'): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-tls-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  openssl('req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', `/CN=${name}`)
  return {
    dir,
    ca: join(dir, 'ca.pem'),
    pem: readFileSync(join(dir, 'ca.pem'), 'utf8'),
    issue(file, { subject = `/CN=${file}`, names = 'DNS:localhost,IP:127.0.0.1', days = 2 } = {}) {
      openssl('req', ...EC, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', subject)
      writeFileSync(join(dir, 'extensions'), `subjectAltName=${names}`)
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days), '-extfile', 'extensions']
      openssl('x509', '-req', '-in', `${file}.csr`, '-out', `${file}.pem`, ...signed)
      const [cert, key] = [join(dir, `${file}.pem`), join(dir, `${file}.key`)]
      return { cert, key, pem: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } }
    },
  }
}
