// Secrets in a known wrapping: JWTs, PEM private keys, and the Authorization header.
import { tableOf } from '../../characters.ts'
import type { PrefixDetector, Range } from '../../detector.ts'
import { alphabets, endOf, type Form, hasDigit } from './form.ts'

export const jwtForm: Form = { id: 'jwt', prefixes: ['eyJ'], body: 'dotted', least: 20, check: isJwt }

/** Signed (three parts) or encrypted (five), with a header that names an algorithm. */
function isJwt(value: string): boolean {
  const parts = value.split('.', 6)
  if (parts.length !== 2 && parts.length !== 3 && parts.length !== 5) return false
  return Buffer.from(parts[0]!.slice(0, 4096), 'base64url').includes('"alg"')
}

/** `Authorization: Bearer TOKEN`; the word stays, so that one sees what was there. Last in line: a known form names the secret better. */
export const bearer: PrefixDetector = {
  id: 'bearer',
  action: 'replace',
  on: 'prefix',
  prefixes: ['Bearer ', 'bearer ', 'BEARER '],
  body: alphabets.token68!,
  find(text, _at, from) {
    const end = endOf(text, from, alphabets.token68!)
    const value = text.slice(from, end)
    return value.length >= 16 && (hasDigit(value) || (value.length >= 32 && /[a-z]/.test(value) && /[A-Z]/.test(value)))
      ? { start: from, end }
      : undefined
  },
}

const longestBasic = 1024

/** `Authorization: Basic`, where what follows is base64 of `user:password`. */
export const basic: PrefixDetector = {
  id: 'basic-auth',
  action: 'replace',
  on: 'prefix',
  prefixes: ['Basic ', 'basic ', 'BASIC '],
  body: alphabets.base64!,
  find(text, _at, from) {
    const end = endOf(text, from, alphabets.base64!)
    if (end - from < 8 || end - from > longestBasic) return undefined
    const decoded = Buffer.from(text.slice(from, end), 'base64').toString('latin1')
    return /^[!-9;-~]+:[!-~]+$/.test(decoded) ? { start: from, end } : undefined
  },
}

/** A PEM private key with its armour; without its end, everything that follows. */
export const privateKey: PrefixDetector = {
  id: 'private-key',
  action: 'replace',
  on: 'prefix',
  prefixes: ['-----BEGIN '],
  body: tableOf(''),
  literalSuffices: true,
  find(text, at, from): Range | undefined {
    const kind = /^[A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(from, from + 64))
    if (kind === null) return undefined
    const armour = `-----END ${kind[0]}`
    const end = text.indexOf(armour, from)
    return { start: at, end: end < 0 ? text.length : end + armour.length }
  },
}
