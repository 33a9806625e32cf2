// Secrets that announce themselves: a literal prefix, then the characters and the length that its issuer uses.
import { digits, isAlphanumeric, letters, spanOf, tableOf } from '../characters.ts'
import type { PrefixDetector, Range } from '../detector.ts'

const alphanumeric = tableOf(letters + digits)
const capitalsAndDigits = tableOf(letters.slice(26) + digits)
const hex = tableOf(`${digits}abcdef`)
const word = tableOf(`${letters}${digits}_`)
const dashed = tableOf(`${letters}${digits}-`)
const url = tableOf(`${letters}${digits}_-`)
const dottedUrl = tableOf(`${letters}${digits}_-.`)
const base64 = tableOf(`${letters}${digits}+/=`)
const token68 = tableOf(`${letters}${digits}-._~+/=`)

interface Form {
  readonly id: string
  readonly prefixes: readonly string[]
  readonly body: Uint8Array
  /** Characters after the prefix; `most` where the length is fixed. */
  readonly least: number
  readonly most?: number
  /** The last word on the whole value, prefix included. */
  readonly check?: (value: string) => boolean
}

const forms: readonly Form[] = [
  { id: 'aws-key', prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'], body: capitalsAndDigits, least: 16, most: 16 },
  { id: 'github-token', prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], body: alphanumeric, least: 36 },
  { id: 'github-token', prefixes: ['github_pat_'], body: word, least: 40 },
  { id: 'gitlab-token', prefixes: ['glpat-'], body: url, least: 20 },
  {
    id: 'slack-token',
    prefixes: ['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-'],
    body: dashed,
    least: 10,
    check: hasDigit,
  },
  { id: 'stripe-key', prefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], body: alphanumeric, least: 16 },
  { id: 'stripe-key', prefixes: ['whsec_'], body: base64, least: 24 },
  { id: 'anthropic-key', prefixes: ['sk-ant-'], body: url, least: 20 },
  { id: 'openai-key', prefixes: ['sk-'], body: url, least: 20, check: isOpenAi },
  { id: 'google-key', prefixes: ['AIza'], body: url, least: 35 },
  { id: 'twilio-key', prefixes: ['SK'], body: hex, least: 32, most: 32 },
  { id: 'sendgrid-key', prefixes: ['SG.'], body: dottedUrl, least: 40, check: value => /^SG\.[\w-]{16,}\.[\w-]{16,}$/.test(value) },
  { id: 'npm-token', prefixes: ['npm_'], body: alphanumeric, least: 36 },
  { id: 'pypi-token', prefixes: ['pypi-'], body: url, least: 32 },
  { id: 'jwt', prefixes: ['eyJ'], body: dottedUrl, least: 20, check: isJwt },
]

export const secrets: readonly PrefixDetector[] = forms.map(form => ({
  id: form.id,
  action: 'replace',
  on: 'prefix',
  prefixes: form.prefixes,
  body: form.body,
  find(text, at, from) {
    const end = endOf(text, from, form.body)
    const size = end - from
    if (size < form.least || size > (form.most ?? size) || isAlphanumeric(text.charCodeAt(end))) return undefined
    return (form.check?.(text.slice(at, end)) ?? true) ? { start: at, end } : undefined
  },
}))

/** `Authorization: Bearer TOKEN`; the word stays, so that one sees what was there. Last in line: a known form names the secret better. */
export const bearer: PrefixDetector = {
  id: 'bearer',
  action: 'replace',
  on: 'prefix',
  prefixes: ['Bearer ', 'bearer ', 'BEARER '],
  body: token68,
  find(text, _at, from) {
    const end = endOf(text, from, token68)
    const value = text.slice(from, end)
    return value.length >= 16 && (hasDigit(value) || (value.length >= 32 && /[a-z]/.test(value) && /[A-Z]/.test(value)))
      ? { start: from, end }
      : undefined
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
    const kind = /^[A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(from, from + 64))
    if (kind === null) return undefined
    const armour = `-----END ${kind[0]}`
    const end = text.indexOf(armour, from)
    return { start: at, end: end < 0 ? text.length : end + armour.length }
  },
}

// A full stop after a value belongs to the sentence.
function endOf(text: string, from: number, body: Uint8Array): number {
  let end = spanOf(text, from, body)
  while (end > from && text.charCodeAt(end - 1) === 0x2e) end--
  return end
}

function hasDigit(value: string): boolean {
  return /\d/.test(value)
}

// CSS classes begin with `sk-` too; keys have digits, and capitals where they have further dashes.
function isOpenAi(value: string): boolean {
  if (value.startsWith('sk-ant-')) return false
  return hasDigit(value) && (!value.slice(3).includes('-') || /[A-Z]/.test(value))
}

/** Signed (three parts) or encrypted (five), with a header that names an algorithm. */
function isJwt(value: string): boolean {
  const parts = value.split('.', 6)
  if (parts.length !== 2 && parts.length !== 3 && parts.length !== 5) return false
  return Buffer.from(parts[0]!.slice(0, 4096), 'base64url').includes('"alg"')
}
