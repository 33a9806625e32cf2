// A server that is restarted is the same as before for whoever calls it: it is told of callers, and shown what is theirs.
import { generateKeyPairSync } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import type { RemoteServer } from '../../../core/config/schema.ts'
import { createCredentials } from '../../../core/credentials/credentials.ts'
import { replaceServer } from '../../../core/registry/change.ts'
import { createLogBook, realClock } from '../upstream/manual-clock.ts'

const privateKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const exchange = { issuer: 'https://issuer.example', clientId: 'mcpgw', clientSecret: 's', audience: 'crm' }

it.each([
  ['another gateway', { gateway: { as: 'edge', privateKey } }],
  ['a server for which tokens are exchanged', { exchange }],
])('%s is restarted, again and again, until it is gone', async (_what, auth) => {
  const server = { id: 'hub', kind: 'remote', enabled: true, url: 'https://hub.example/mcp', auth } as unknown as RemoteServer
  const credentials = createCredentials({
    servers: [server],
    secrets: { hold: () => () => {} },
    clock: realClock,
    log: createLogBook().log,
  })
  onTestFinished(() => credentials.close())
  let now = server
  for (let i = 0; i < 2; i++) {
    expect(credentials.callers).toBeDefined()
    const { added, removed } = replaceServer([now], 'hub')!
    for (const one of removed) credentials.remove(one)
    for (const one of added) credentials.add(one)
    now = added[0] as RemoteServer
    expect(credentials.callers).toBeDefined()
    expect(credentials.of(now, 'acme\0ann\0api-key\0')).toBeDefined()
  }
  credentials.remove(now)
  expect(credentials.callers).toBeUndefined()
  // What is still under way there ends as it began.
  expect(credentials.of(now, 'acme\0ann\0api-key\0')).toBeDefined()
})
