// `listen`: what may stand there, and what a certificate, proxies and bounds are when nothing is said of them.
import { expect, test } from 'vitest'
import { listShown } from '../../../core/config/show.ts'
import { createWorkspace } from './workspace.ts'

const PEM = '-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n'

test('of tls the paths are taken from the folder of the config, and nothing is asked of clients', async () => {
  const { accept, dir } = createWorkspace({ 'mcpgw.yaml': 'listen:\n  tls: { cert: certs/own.pem, key: /etc/own.key }\n' })
  const { config } = await accept()
  expect(config.listen).toMatchObject({
    port: 3100,
    connections: { total: 10_000, perAddress: 1000 },
    proxyProtocol: false,
    tls: { cert: `${dir}/certs/own.pem`, key: '/etc/own.key', clientCertificates: 'none', minVersion: '1.2', root: dir },
  })
})

test.each([
  ['a version of TLS that is not safe', 'tls: { cert: c, key: k, minVersion: 1.1 }', 'write 1.2 or 1.3', 3],
  ['a key that nothing reads', 'tls: { cert: c, key: k, keys: k }', '"keys"', 3],
  ['no key', 'tls: { cert: c }', '"key"', 3],
  ['certificates of clients without who signs them', 'tls: { cert: c, key: k, clientCertificates: required }', '"required" needs "ca"', 3],
  ['who signs them, and nobody asked', 'tls: { cert: c, key: k, ca: a }', '"ca" needs "clientCertificates"', 3],
  ['a private key in the text', `tls: { cert: c, key: "${PEM}" }`, 'a private key cannot stand in the config', 3],
  ['PROXY protocol of anybody', 'proxyProtocol: true', '"proxyProtocol" needs "trustedProxies"', 3],
  ['no connections at all', 'connections: { total: 0 }', 'expected at least 1', 3],
])('%s is refused at its place', async (_, line, message, at) => {
  const { load } = createWorkspace({ 'mcpgw.yaml': `listen:\n  port: 3100\n  ${line}\n` })
  const result = await load()
  if (result.ok) throw new Error('accepted')
  expect(result.diagnostics).toMatchObject([{ severity: 'error', message: expect.stringContaining(message), file: 'mcpgw.yaml', line: at }])
  expect(JSON.stringify(result.diagnostics.map(one => one.message))).not.toContain('AAAA')
})

test('the key may be a secret, which nobody is shown; the other files may not', async () => {
  const getSecret = async (): Promise<string> => PEM.replaceAll('\\n', '\n')
  const { accept, load, write } = createWorkspace({ 'mcpgw.yaml': 'listen:\n  tls: { cert: c, key: "${secret:tls-key}" }\n' })
  const loaded = await accept({ getSecret })
  expect(loaded.config.listen.tls?.key).toContain('BEGIN PRIVATE KEY')
  expect(loaded.config.listen.tls?.keySecret).toBe('tls-key')
  const shown = listShown(loaded).find(({ path }) => path === 'listen.tls.key')
  expect(shown).toMatchObject({ value: '${secret:tls-key}', origin: 'mcpgw.yaml:2:24' })
  write('mcpgw.yaml', 'listen:\n  tls: { cert: c, key: "${secret:tls-key}x" }\n')
  expect(await load({ getSecret })).toMatchObject({ ok: false, diagnostics: [{ code: 'bad-value' }] })
  write('mcpgw.yaml', 'listen:\n  tls: { cert: "${secret:tls-cert}", key: k }\n')
  expect(await load({ getSecret })).toMatchObject({ ok: false, diagnostics: [{ code: 'secret-refused' }] })
})
