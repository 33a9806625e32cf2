// `servers status` asks the running gateway, over HTTP and over TLS, by the certificate that the config names.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { askRunning } from '../../../core/commands/ask-running.ts'
import { openGateway } from '../../../core/commands/open-gateway.ts'
import { loadConfig } from '../../../core/config/load.ts'
import { defaults, type ListenConfig } from '../../../core/config/schema.ts'
import { createLog } from '../../../core/log.ts'
import { type Authority, createAuthority, type Issued } from '../downstream/certificates.ts'
import { createFolder } from './run-command.ts'

const silent = createLog({ level: 'silent' })

async function listen(tls?: object, host = '127.0.0.1'): Promise<ListenConfig> {
  const dir = createFolder({
    'mcpgw.yaml': JSON.stringify({
      listen: { host, port: 0, ...(tls && { tls }) },
      servers: [{ id: 'one', command: 'absent' }],
    }),
  })
  const loaded = await loadConfig({
    file: 'mcpgw.yaml',
    cwd: dir,
    env: {},
    getSecret: async () => ({ kind: 'fault', code: 'not-found', message: '' }),
  } as never)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics))
  const open = await openGateway({ loaded, version: '1', log: silent, cwd: dir, http: true, probe: false, insecure: true })
  if ('findings' in open) throw new Error(JSON.stringify(open.findings))
  onTestFinished(() => open.stop(1000))
  return { ...loaded.config.listen, port: open.gateway.port! }
}

const answered = { kind: 'answered', servers: [{ server: 'one' }] }
const tlsOf = ({ cert, key }: Issued, more: object = {}): object => ({ cert, key, ...more })

test('over plain HTTP, also where it listens on all addresses', async () => {
  expect(await askRunning(await listen())).toMatchObject(answered)
  expect(await askRunning(await listen(undefined, '0.0.0.0'))).toMatchObject(answered)
})

test('over TLS, whoever has signed its certificate, whatever names are in it, and though it has expired', async () => {
  const authority = createAuthority()
  const own = authority.issue('own', { names: 'DNS:mcp.example.com', days: -1 })
  expect(await askRunning(await listen(tlsOf(own)))).toMatchObject(answered)
})

test('whoever shows another certificate is believed nothing', async () => {
  const authority = createAuthority()
  const running = await listen(tlsOf(authority.issue('own')))
  const other = authority.issue('other')
  const asked = await askRunning({ ...running, tls: { ...running.tls!, cert: other.cert, key: other.key } })
  expect(asked).toEqual({ kind: 'other', why: `it shows another certificate than ${other.cert}` })
})

test('where a certificate of clients is required, its own does if the same authority has signed it', async () => {
  const authority = createAuthority()
  const running = await listen(tlsOf(authority.issue('own'), { ca: authority.ca, clientCertificates: 'required' }))
  expect(await askRunning(running)).toMatchObject(answered)
})

test('where another authority signs those of clients, one is to be given, and it is said how', async () => {
  const [servers, clients]: [Authority, Authority] = [createAuthority(), createAuthority('clients')]
  const running = await listen(tlsOf(servers.issue('own'), { ca: clients.ca, clientCertificates: 'required' }))
  expect(await askRunning(running)).toEqual({ kind: 'other', why: expect.stringContaining('--client-cert and --client-key') })
  expect(await askRunning(running, clients.issue('operator'))).toMatchObject(answered)
})

test('nobody there, and somebody else there, are told apart', async () => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end('SSH-2.0-x\r\n', () => socket.destroy())
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  expect(await askRunning({ ...defaults.listen, host: '127.0.0.1', port })).toMatchObject({
    kind: 'other',
    why: expect.stringContaining('Parse Error'),
  })
  const authority = createAuthority()
  const own = authority.issue('own')
  const tls = { cert: own.cert, key: own.key, clientCertificates: 'none', minVersion: '1.2', root: authority.dir } as const
  expect(await askRunning({ ...defaults.listen, host: '127.0.0.1', port, tls })).toMatchObject({ kind: 'other' })
  await new Promise(done => server.close(done))
  expect(await askRunning({ ...defaults.listen, host: '127.0.0.1', port })).toEqual({ kind: 'none' })
})
