// doctor and `listen.tls`: what stops the start fails, what clients or the calendar will not like is a warning.
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Check } from '../../../core/commands/doctor/check.ts'
import { checkTls } from '../../../core/commands/doctor/tls.ts'
import type { TlsConfig } from '../../../core/config/schema.ts'
import { type Authority, createAuthority, type Issued } from '../downstream/certificates.ts'
import { createFolder, say } from './run-command.ts'

const DAY = 86_400_000
const long = { days: 400 }

async function check(
  authority: Authority,
  own: Issued,
  { now = Date.now(), hosts = [], ...more }: Partial<TlsConfig> & { now?: number; hosts?: string[] } = {},
): Promise<readonly Check[]> {
  const tls: TlsConfig = { cert: own.cert, key: own.key, clientCertificates: 'none', minVersion: '1.2', root: authority.dir, ...more }
  return checkTls({ tls, hosts }, now)
}

test('without listen.tls there is nothing to say; a good pair is told with its end', async () => {
  const authority = createAuthority()
  expect(await checkTls({ hosts: [] }, Date.now())).toEqual([])
  expect(await check(authority, authority.issue('own', long))).toEqual([
    { name: 'tls', status: 'ok', message: expect.stringMatching(/own\.pem, good until \d{4}-\d\d-\d\d$/) },
  ])
})

test('files that are not there, do not belong together or can be read by others fail with what mends it', async () => {
  const authority = createAuthority()
  const [own, other] = [authority.issue('own', long), authority.issue('other', long)]
  expect(await check(authority, own, { cert: '/nowhere/x.pem' })).toMatchObject([
    { status: 'fail', message: 'cannot read /nowhere/x.pem: no such file' },
  ])
  expect(await check(authority, own, { key: other.key })).toMatchObject([
    { status: 'fail', message: expect.stringContaining('is not the key of') },
  ])
  chmodSync(own.key, 0o640)
  expect(await check(authority, own)).toMatchObject([
    { status: 'fail', message: expect.stringContaining('0640'), help: `chmod 600 ${own.key}` },
  ])
})

test('an expired one and one of the future fail; one that ends soon is a warning, and soon is less in a short life', async () => {
  const authority = createAuthority()
  const own = authority.issue('own', { days: 100 })
  const at = (days: number) => check(authority, own, { now: Date.now() + days * DAY })
  expect(await at(101)).toMatchObject([{ status: 'fail', message: expect.stringContaining('has expired on') }])
  expect(await at(-1)).toMatchObject([{ status: 'fail', message: expect.stringContaining('is not valid before') }])
  expect(await at(90)).toMatchObject([{ status: 'warn', message: expect.stringMatching(/expires on .*, 9 days from now/) }])
  expect(await at(70)).toMatchObject([{ status: 'ok' }])
  expect(await check(authority, authority.issue('short', { days: 6 }))).toMatchObject([{ status: 'ok' }])
})

test('a chain out of order, names that listen.hosts has beyond it, and an authority that has ended are warnings', async () => {
  const authority = createAuthority()
  const own = authority.issue('own', { ...long, names: 'DNS:*.example.com,IP:10.0.0.1' })
  const hosts = ['a.example.com:443', '[10.0.0.1]:8443', 'b.example.org', '10.0.0.2']
  expect(await check(authority, own, { hosts })).toEqual([
    {
      name: 'tls',
      status: 'warn',
      message: 'the certificate is not for b.example.org, 10.0.0.2 of listen.hosts',
      help: expect.stringContaining('*.example.com'),
    },
  ])
  expect(await check(authority, own, { ca: authority.ca, clientCertificates: 'optional', now: Date.now() + 3 * DAY })).toMatchObject([
    { status: 'warn', message: expect.stringContaining('1 of 1 authorities') },
  ])
  appendFileSync(own.cert, authority.pem)
  expect(await check(authority, own)).toMatchObject([{ status: 'ok' }])
  appendFileSync(own.cert, authority.issue('stranger', long).pem.cert)
  expect(await check(authority, own)).toMatchObject([
    { status: 'warn', message: expect.stringContaining('certificate 3 has not signed certificate 2') },
  ])
})

test('doctor prints it beside the others', async () => {
  const authority = createAuthority()
  const own = authority.issue('own', long)
  writeFileSync(own.key, readFileSync(authority.issue('other', long).key))
  const dir = createFolder({ 'mcpgw.yaml': JSON.stringify({ listen: { port: 0, tls: { cert: own.cert, key: own.key } }, servers: [] }) })
  const { code, out } = await say(dir, ['doctor'])
  expect(code).toBe(1)
  expect(out).toContain(`fail  tls: ${own.key} is not the key of the certificate in ${own.cert}\n      correct listen.tls.key\n`)
})
