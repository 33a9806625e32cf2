// The built product over HTTPS: what it prints, that SIGHUP takes a renewed certificate, and what stops the start.
import { chmodSync, copyFileSync } from 'node:fs'
import { get } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { say } from '../core/commands/run-command.ts'
import { createAuthority } from '../core/downstream/certificates.ts'
import { createFolder, isBuilt, startProduct } from './product.ts'

function look(url: string, ca: string): Promise<{ status: number; body: { status: string; components: unknown[] }; serial: string }> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, response => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate()
      let text = ''
      response.setEncoding('utf8').on('data', part => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text), serial: serialNumber }))
    }).on('error', reject)
  })
}

describe.skipIf(!isBuilt)('over HTTPS', () => {
  test('the endpoint is printed as https, and SIGHUP takes a renewed certificate', async () => {
    const authority = createAuthority()
    const own = authority.issue('own')
    const product = await startProduct({ dir: createFolder(), config: { listen: { tls: { cert: own.cert, key: own.key } }, servers: [] } })
    const endpoint = /endpoint {2}(https:\/\/127\.0\.0\.1:\d+)\/mcp/.exec(product.said())?.[1]
    expect(product.said()).toContain(`"url":"${endpoint}/mcp"`)
    const before = await look(`${endpoint}/healthz`, authority.pem)
    expect(before).toMatchObject({ status: 200, body: { status: 'ok' } })
    const renewed = authority.issue('renewed')
    copyFileSync(renewed.cert, own.cert)
    copyFileSync(renewed.key, own.key)
    product.signal('SIGHUP')
    await product.hears('another certificate is in use')
    expect((await look(`${endpoint}/healthz`, authority.pem)).serial).not.toBe(before.serial)
    expect(await product.stop()).toEqual({ code: 0, signal: null })
  })

  test('a key that others may read stops the start, at its place in the config and with the command that mends it', async () => {
    const authority = createAuthority()
    const own = authority.issue('own')
    chmodSync(own.key, 0o644)
    const config = `listen:\n  tls:\n    cert: ${own.cert}\n    key: ${own.key}\nservers: []\n`
    const { code, err } = await say(createFolder({ 'mcpgw.yaml': config }), ['run', '--http', '127.0.0.1:0'])
    expect(code).toBe(2)
    expect(err).toMatch(/error\[listen-tls\]: .*own\.key has mode 0644: others may read or change it\n\s+--> mcpgw\.yaml:4:10\n/)
    expect(err).toContain(`= help: chmod 600 ${own.key}`)
  })
})
