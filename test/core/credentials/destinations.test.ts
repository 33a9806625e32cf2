// Where credentials go: to the configured origins and nowhere else, however somebody else writes the address.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import type { OAuthClient } from '../../../core/config/schema.ts'
import { createAuthority } from '../../../core/credentials/authority.ts'
import { requestToken } from '../../../core/credentials/token-request.ts'
import { createOutgoing, type Resolve } from '../../../core/outgoing/outgoing.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { realClock } from '../upstream/manual-clock.ts'
import { startFakeAuthority } from './fake-authority.ts'

const opened = closeAfterEach()

/** Counts whoever comes. */
async function trap(): Promise<{ port: number; asked: string[]; close(): Promise<void> }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const spellings = (port: number): string[] => [
  `http://127.0.0.1:${port}/token`,
  `https://127.0.0.1:${port}/token`,
  `https://127.1:${port}/token`,
  `https://127.0.1:${port}/token`,
  `https://2130706433:${port}/token`,
  `https://0x7f000001:${port}/token`,
  `https://0x7f.0.0.1:${port}/token`,
  `https://0177.0.0.1:${port}/token`,
  `https://017700000001:${port}/token`,
  `https://127.0.0.1.:${port}/token`,
  `https://①②⑦.⓪.⓪.①:${port}/token`,
  `https://127。0。0。1:${port}/token`,
  `https://0:${port}/token`,
  `https://0.0.0.0:${port}/token`,
  `https://[::1]:${port}/token`,
  `https://[0:0:0:0:0:0:0:1]:${port}/token`,
  `https://[::]:${port}/token`,
  `https://[::ffff:127.0.0.1]:${port}/token`,
  `https://[::ffff:7f00:1]:${port}/token`,
  `https://[::127.0.0.1]:${port}/token`,
  `https://[64:ff9b::7f00:1]:${port}/token`,
  `https://[2002:7f00:1::]:${port}/token`,
  `https://[fe80::1]:${port}/token`,
  `https://[fd00::1]:${port}/token`,
  `https://169.254.169.254/latest/meta-data`,
  `https://[fd00:ec2::254]/latest/meta-data`,
  `https://10.0.0.1/token`,
  `https://172.16.0.1/token`,
  `https://192.168.0.1/token`,
  `https://100.64.0.1/token`,
  `https://198.18.0.1/token`,
  `https://user:pw@127.0.0.1:${port}/token`,
  `https://localhost:${port}/token`,
  `https://mixed.example:${port}/token`,
  `//127.0.0.1:${port}/token`,
  `\\\\127.0.0.1:${port}\\token`,
  `/\\127.0.0.1:${port}/token`,
  `https:127.0.0.1:${port}/token`,
  `https:\\\\127.0.0.1:${port}\\token`,
  `file:///etc/passwd`,
  `javascript:alert(1)`,
]

it('a token endpoint that metadata name is reached only on the public internet, in none of 41 other spellings', async () => {
  const target = opened(await trap())
  const authority = opened(await startFakeAuthority())
  // One of several addresses that is ours would do: which of them is gone to is not the asker's to say.
  const resolve = ((host: string, _options: unknown, done: (error: Error | null, found: unknown) => void) => {
    const addresses = host === 'mixed.example' ? ['8.8.8.8', '127.0.0.1'] : ['127.0.0.1']
    done(
      null,
      addresses.map(address => ({ address, family: 4 })),
    )
  }) as unknown as Resolve
  const outgoing = createOutgoing(resolve)
  opened(outgoing)
  const client: OAuthClient = { issuer: authority.url, clientId: 'mcpgw', clientSecret: 'a-secret-of-ours' }
  const given = spellings(target.port)
  expect(given.length).toBe(41)
  for (const url of given) {
    authority.metadata = { issuer: authority.url, token_endpoint: url }
    const requester = { client, authority: createAuthority(client, outgoing, realClock), outgoing, clock: realClock }
    const failure = await requestToken(requester, { grant_type: 'client_credentials' }).then(
      () => `${url} was reached`,
      error => String(error),
    )
    expect(failure).not.toContain('a-secret-of-ours')
    expect(failure).toMatch(/not on the public internet|expected https|name no token_endpoint|password in it/)
  }
  expect([target.asked, authority.asked]).toEqual([[], []])
})

it('a server that leads elsewhere, by a redirect of any kind, leads no token there', async () => {
  const target = opened(await trap())
  const authority = opened(await startFakeAuthority())
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of [`http://127.0.0.1:${target.port}/mcp`, `//127.0.0.1:${target.port}/mcp`, `\\\\127.0.0.1:${target.port}/mcp`]) {
      const upstream = opened(
        await startHttpUpstream({ intercept: (_request, response) => !!response.writeHead(status, { location }).end() }),
      )
      const auth = { oauth: { token: authority.token, clientId: 'mcpgw', clientSecret: 'client secret+/=%' } }
      const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { auth })] }))
      const client = await connectHttp(gateway)
      expect((await client.ask('tools/call', { name: 'up__echo' })).error).toBeDefined()
      expect(upstream.requests.length).toBeGreaterThan(0)
    }
  }
  expect(target.asked).toEqual([])
})

it.each([
  (port: number) => `http://127.0.0.1:${port}/messages`,
  (port: number) => `//127.0.0.1:${port}/messages`,
  (port: number) => `\\\\127.0.0.1:${port}\\messages`,
  (port: number) => `/\\127.0.0.1:${port}/messages`,
  (port: number) => `http:\\\\127.0.0.1:${port}/messages`,
  (port: number) => ` \t//127.0.0.1:${port}/messages`,
  (port: number) => `/\t/127.0.0.1:${port}/messages`,
  (port: number) => `HTTP://127.0.0.1:${port}/messages`,
])('a stream of the older transport that names an address elsewhere gets no token there (%#)', async spell => {
  const target = opened(await trap())
  const authority = opened(await startFakeAuthority())
  const upstream = opened(
    await startHttpUpstream({
      intercept(_request, response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${spell(target.port)}\n\n`)
        return true
      },
    }),
  )
  const auth = { oauth: { token: authority.token, clientId: 'mcpgw', clientSecret: 'client secret+/=%' } }
  const gateway = opened(await startTestGateway({ servers: [upstream.server('up', { protocol: 'sse', auth })] }))
  const client = await connectHttp(gateway)
  expect((await client.ask('tools/call', { name: 'up__echo' })).error.data.mcpgw.code).toMatch(/^upstream-/)
  expect([upstream.requests[0]?.headers.authorization, target.asked]).toEqual([`Bearer ${authority.made[0]}`, []])
})
