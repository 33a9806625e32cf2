// Checks of `listen.tls`: what would keep the gateway from starting, and what would keep clients from believing it.
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { ListenConfig } from '../../config/schema.ts'
import { type Material, readMaterial, TlsFault } from '../../downstream/tls-material.ts'
import type { Check } from './check.ts'

const DAY_MS = 86_400_000
/** So long before its end it should have been renewed: this, or a quarter of a short life. */
const SOON_MS = 21 * DAY_MS
const name = 'tls'
const RENEW = 'renew it; the gateway takes the new files by itself'

/** `now`: ms since 1970. None where the config has no `listen.tls`. */
export async function checkTls({ tls, hosts }: Pick<ListenConfig, 'tls' | 'hosts'>, now: number): Promise<readonly Check[]> {
  if (tls === undefined) return []
  let material: Material
  try {
    material = await readMaterial(tls)
  } catch (error) {
    if (!(error instanceof TlsFault)) throw error
    return [{ name, status: 'fail', message: error.message, help: error.help ?? `correct listen.tls.${error.field}` }]
  }
  const { chain, authorities } = material
  const checks = [checkTime(chain[0]!, `the certificate in ${tls.cert}`, now), checkOrder(chain, tls.cert), checkHosts(chain[0]!, hosts)]
  const ended = authorities.filter(one => Date.parse(one.validTo) <= now)
  if (ended.length > 0) {
    const message = `${ended.length} of ${authorities.length} authorities in ${tls.ca} have expired`
    checks.push({ name, status: 'warn', message, help: 'no certificate of a client that they have signed is believed' })
  }
  const wrong = checks.filter(one => one !== undefined)
  return wrong.length > 0 ? wrong : [{ name, status: 'ok', message: `${tls.cert}, good until ${dayOf(chain[0]!.validTo)}` }]
}

function checkTime({ validFrom, validTo }: X509Certificate, what: string, now: number): Check | undefined {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  if (to <= now) return { name, status: 'fail', message: `${what} has expired on ${dayOf(validTo)}`, help: RENEW }
  if (from > now)
    return { name, status: 'fail', message: `${what} is not valid before ${new Date(from).toISOString()}`, help: 'check the clock' }
  if (to - now > Math.min(SOON_MS, (to - from) / 4)) return undefined
  const left = Math.floor((to - now) / DAY_MS)
  return { name, status: 'warn', message: `${what} expires on ${dayOf(validTo)}, ${left} days from now`, help: RENEW }
}

/** Spec: RFC 8446, 4.4.2: the own first, then each by whom the one before it was signed. */
function checkOrder(chain: readonly X509Certificate[], path: string): Check | undefined {
  const at = chain.findIndex((one, i) => i > 0 && !chain[i - 1]!.checkIssued(one))
  if (at < 0) return undefined
  const message = `${path}: certificate ${at + 1} has not signed certificate ${at}`
  return {
    name,
    status: 'warn',
    message,
    help: 'put the certificate of the gateway first, then each authority after the one that it has signed',
  }
}

function checkHosts(own: X509Certificate, hosts: readonly string[]): Check | undefined {
  const missing = hosts.map(bare).filter(host => (isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host)) === undefined)
  if (missing.length === 0) return undefined
  const message = `the certificate is not for ${missing.join(', ')} of listen.hosts`
  return { name, status: 'warn', message, help: `it is for ${own.subjectAltName ?? 'no name at all'}` }
}

/** Without port and brackets. */
function bare(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}

function dayOf(text: string): string {
  return new Date(text).toISOString().slice(0, 10)
}
