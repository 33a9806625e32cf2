// The certificate of a client, as plugins see it: only one that was verified in the handshake, and only as long as it is valid.
import type { Socket } from 'node:net'
import { type PeerCertificate as Shown, TLSSocket } from 'node:tls'
import type { PeerCertificate } from '../plugin/index.ts'

interface Known {
  readonly certificate: PeerCertificate
  /** ms since 1970. */
  readonly from: number
  readonly until: number
}

const known = new WeakMap<Socket, Known | undefined>()

/** `now`: ms since 1970. A connection may live longer than the certificate that it began with. */
export function certificateOf(socket: Socket, now: number): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  if (!known.has(socket)) known.set(socket, read(socket))
  const found = known.get(socket)
  return found !== undefined && found.from <= now && now < found.until ? found.certificate : undefined
}

function read(socket: TLSSocket): Known | undefined {
  // Invariant: without `authorized` anybody could have written the certificate.
  if (!socket.authorized) return undefined
  const shown: Partial<Shown> = socket.getPeerCertificate()
  const { fingerprint256, valid_from, valid_to, subject, subjectaltname } = shown
  const names = readNames(subjectaltname ?? '')
  const [from, until] = [Date.parse(valid_from ?? ''), Date.parse(valid_to ?? '')]
  if (fingerprint256 === undefined || names === undefined || Number.isNaN(from) || Number.isNaN(until)) return undefined
  // Two common names are a list here: which of them counts is not ours to guess.
  const commonName: unknown = subject?.CN
  const certificate = Object.freeze({
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    ...(typeof commonName === 'string' && { commonName }),
    names,
  })
  return { certificate, from, until }
}

/** `DNS:a, URI:b, DNS:"with, comma"`: Node quotes what could be misread, as JSON. Undefined where it is written otherwise. */
export function readNames(text: string): readonly string[] | undefined {
  const names: string[] = []
  const one = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y
  while (one.lastIndex < text.length) {
    const [, type, value] = one.exec(text) ?? []
    if (type === undefined || value === undefined) return undefined
    if (!value.startsWith('"')) names.push(`${type}:${value}`)
    else {
      try {
        names.push(`${type}:${JSON.parse(value)}`)
      } catch {
        return undefined
      }
    }
  }
  return Object.freeze(names)
}
