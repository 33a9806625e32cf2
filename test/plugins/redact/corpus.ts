// Generated values that must be found, and the look-alikes that must stay.
import { createHash, randomUUID } from 'node:crypto'
import { cards as cardsBy, ibans as ibansBy } from './corpus/accounts.ts'
import { ssn } from './corpus/national.ts'
import { alphabet, createChance } from './corpus/random.ts'

export { grouped } from './corpus/accounts.ts'

const chance = createChance(7)

export function pick(characters: string, length: number): string {
  return chance.text(characters, length)
}

/** Every network, every length. */
export function cards(): string[] {
  return cardsBy(chance)
}

/** Every country. */
export function ibans(): string[] {
  return ibansBy(chance)
}

const { digits, alphanumeric } = alphabet

export function ssns(): string[] {
  return Array.from({ length: 200 }, () => ssn(chance))
}

export const emails: readonly string[] = [
  'ann@example.com',
  'ann.lee+tag@mail.example.co.uk',
  'o_b-r@163.com',
  'x@y.museum',
  'josé@exämple.de',
  'user%host@sub.example.org',
  'UPPER@EXAMPLE.COM',
  'a@xn--bcher-kva.example',
]

/** Detector id and value. */
export function secretValues(): readonly (readonly [string, string])[] {
  const jwt = [JSON.stringify({ alg: 'HS256', typ: 'JWT' }), JSON.stringify({ sub: '1234567890', name: 'Ann' })]
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')
  return [
    ['aws-key', `AKIA${pick('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`],
    ['aws-key', `ASIA${pick('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`],
    ...['ghp', 'gho', 'ghu', 'ghs', 'ghr'].map(prefix => ['github-token', `${prefix}_${pick(alphanumeric, 36)}`] as const),
    ['github-token', `github_pat_${pick(alphanumeric, 22)}_${pick(alphanumeric, 59)}`],
    ['gitlab-token', `glpat-${pick(alphanumeric, 20)}`],
    ...['xoxa', 'xoxb', 'xoxp', 'xoxr', 'xoxs'].map(
      prefix => ['slack-token', `${prefix}-${pick(digits, 12)}-${pick(alphanumeric, 24)}`] as const,
    ),
    ...['sk_live', 'sk_test', 'rk_live', 'rk_test'].map(prefix => ['stripe-key', `${prefix}_${pick(alphanumeric, 24)}`] as const),
    ['stripe-key', `whsec_${pick(alphanumeric, 32)}`],
    ['openai-key', `sk-${pick(alphanumeric, 20)}T3BlbkFJ${pick(alphanumeric, 20)}`],
    ['openai-key', `sk-proj-${pick(alphanumeric, 40)}A7_x-${pick(alphanumeric, 40)}`],
    ['anthropic-key', `sk-ant-api03-${pick(alphanumeric, 90)}-AA`],
    ['google-key', `AIza${pick(alphanumeric, 35)}`],
    ['twilio-key', `SK${pick('0123456789abcdef', 32)}`],
    ['sendgrid-key', `SG.${pick(alphanumeric, 22)}.${pick(alphanumeric, 43)}`],
    ['npm-token', `npm_${pick(alphanumeric, 36)}`],
    ['pypi-token', `pypi-AgEIcHlwaS5vcmc${pick(alphanumeric, 120)}`],
    ['jwt', `${jwt}.${pick(alphanumeric, 43)}`],
    ['private-key', `-----BEGIN RSA PRIVATE KEY-----\n${pick(alphanumeric, 64)}\n${pick(alphanumeric, 64)}\n-----END RSA PRIVATE KEY-----`],
    ['private-key', `-----BEGIN PRIVATE KEY-----\n${pick(alphanumeric, 64)}\n-----END PRIVATE KEY-----`],
  ]
}

/** What a gateway sees all day and must not touch. */
export function lookalikes(): string[] {
  const hashes = Array.from({ length: 200 }, (_, i) => createHash('sha512').update(String(i)))
  const days = Array.from({ length: 200 }, (_, i) => new Date(Date.UTC(2001 + (i % 60), i % 12, 1 + (i % 28), i % 24, i % 60, i % 60, i)))
  return [
    ...Array.from({ length: 500 }, () => randomUUID()),
    '41111111-1111-4111-8111-111111111111',
    '12345678-4111-4111-1111-111111111111',
    ...hashes.map(hash => `sha512-${hash.copy().digest('base64')}`),
    ...hashes.map(hash => hash.copy().digest('hex')),
    ...hashes.map(hash => hash.copy().digest('hex').slice(0, 40)),
    ...days.flatMap(day => [
      day.toISOString(),
      day.toISOString().slice(0, 10),
      String(day.getTime()),
      String(day.getTime() / 1000),
      day.toUTCString(),
    ]),
    '1.2.3',
    'v20.20.0',
    '10.15.7-beta.20261121',
    '2026.8.31',
    '0.0.0-experimental-4508873393-20240430',
    '1.0.0+build.123456789',
    'ORD-2026-000123',
    'order 1029384756',
    'INV/2026/11/0042',
    '#100200300',
    'PO 4500012345',
    'ticket 123456789',
    'case 12-34567-89',

    '192.168.100.200',
    '10.0.0.1:8080',
    '2001:db8:85a3::8a2e:370:7334',
    '+1 555 0100',
    '3.14159265358979',
    '0.4111111111111111',
    '1e21',

    '1763703615123456789',
    '20261121053900',
    '2026-11-21 05:39:00',
    '-122.419416, 37.774929',
    '1000 2000 3000',
    '100 20 3000',

    '@modelcontextprotocol/sdk',
    'lodash@4.17.21',
    'lodash@4.17.21.tgz',
    'logo@2x.png',
    'actions/checkout@v4',
    'git@github.com:org/repo.git',
    '@Override',

    'postgres://user:[PASSWORD]@db.example',
    'postgres://user:$DB_PASSWORD@db',
    'https://user@host/',
    'https://example.com/a?b=c',
    'ssh://git@github.com/a/b',

    'sk-circle-fade-dot-animation',
    'task-management-system-2026',
    'SKU-123456',
    'SG.1',
    'eyJust.a.word.with.dots.in.it',
    'npm_config_registry',
    'bearer of bad news',
    'Bearer authentication-required',

    '-----BEGIN CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
    '000-12-3456',
    '666-12-3456',
    '900-12-3456',
    '123-00-4567',
    '123-45-0000',

    '4111111111111112',
    '4111 1111 1111 1112',
    '9999999999999995',
    'DE88370400440532013000',
    'AB12CD34',
    '[EMAIL]',
    '****-****-****-1111',
  ]
}
