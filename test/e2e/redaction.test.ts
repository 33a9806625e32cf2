// What must not leave: a card number, an e-mail address and an injected secret reach neither the client nor the audit file.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createPlainClient } from './clients.ts'
import { CLI, gatewayIsBuilt } from './gateway.ts'
import { realServers, type Sandbox, type ServerEntries } from './servers.ts'
import { openConnection } from './ways.ts'

const CARD = '4111111111111111'
const EMAIL = 'ada.lovelace@example.com'
const SECRET = 'tqz-81f0-kept-in-the-store-5c2e'
const FORBIDDEN = [CARD, '4111 1111 1111 1111', EMAIL, SECRET]

/** The real servers; a secret of the gateway's store is injected into one, a file with personal data lies in reach of another. */
function leakyServers(sandbox: Sandbox): ServerEntries {
  const secrets = join(sandbox.root, 'gateway', '.mcpgw', 'secrets')
  mkdirSync(secrets, { recursive: true, mode: 0o700 })
  writeFileSync(join(secrets, 'e2e-token'), SECRET, { mode: 0o600 })
  writeFileSync(join(sandbox.files, 'people.txt'), `Ada pays with 4111 1111 1111 1111, write to ${EMAIL}\n`)
  const { everything, ...others } = realServers(sandbox)
  return { ...others, ...(everything && { everything: { ...everything, env: { API_TOKEN: '${secret:e2e-token}' } } }) }
}

/** All that the gateway wrote, but for the secrets themselves. */
function readDataFiles(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.endsWith('secrets'))
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

for (const way of ['gateway over http', 'gateway over stdio'] as const) {
  describe.skipIf(!gatewayIsBuilt)(`redaction, ${way}`, () => {
    test('personal data and secrets stay in, and the record of it holds together', async () => {
      const connection = await openConnection(way, { servers: leakyServers, client: createPlainClient })
      const data = join(connection.sandbox.root, 'gateway', '.mcpgw')
      try {
        const { client } = connection.link('everything')
        const results = [
          await client.callTool({ name: 'everything__echo', arguments: { message: `card ${CARD}, mail ${EMAIL}` } }),
          await client.callTool({ name: 'everything__get-env', arguments: {} }),
          await client.callTool({ name: 'filesystem__read_text_file', arguments: { path: join(connection.sandbox.files, 'people.txt') } }),
        ]
        const received = JSON.stringify(results)
        expect(received).toContain('API_TOKEN')
        expect(received).toContain('Ada pays with')
        for (const text of FORBIDDEN) expect(received).not.toContain(text)
        await client.close()
        const written = readDataFiles(data)
        expect(written).toContain('get-env')
        for (const text of FORBIDDEN) expect(written).not.toContain(text)
        const verified = spawnSync(process.execPath, [CLI, 'audit', 'verify'], { cwd: join(data, '..'), encoding: 'utf8' })
        expect(verified.status, verified.stdout + verified.stderr).toBe(4)
      } finally {
        await connection.close()
      }
    })
  })
}
