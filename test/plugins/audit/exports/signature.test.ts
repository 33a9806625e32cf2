// The receiver of the README tells a genuine request from any other one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sign } from '../../../../plugins/audit/exports/webhook.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../plugins/audit/README.md'), 'utf8')
const [, source] = /```js\n(import \{ createHmac.*?)```/s.exec(page) ?? []
type Check = (header: string | undefined, body: Uint8Array, secret: string, now?: number) => boolean

test('the receiver of the README takes what the gateway signs, and nothing that was changed, is old, or has another secret', async () => {
  const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(source!)}`)) as { isGenuine: Check }
  const secret = 'whsec_0123456789abcdef'
  const now = 1_800_000_000_000
  const text = '{"id":"gw.b1:1","note":"é"}\n'
  const body = Buffer.from(text)
  const { 'mcpgw-signature': header } = sign(secret, text, { now: () => now })
  expect(isGenuine(header, body, secret, now + 60_000)).toBe(true)
  expect(isGenuine(header, Buffer.from(`${text} `), secret, now)).toBe(false)
  expect(isGenuine(header, body, `${secret}x`, now)).toBe(false)
  expect(isGenuine(header, body, secret, now + 301_000)).toBe(false)
  expect(isGenuine(header!.replace('t=1800000000', 't=1800000001'), body, secret, now)).toBe(false)
  expect(isGenuine(undefined, body, secret, now)).toBe(false)
  expect(sign(undefined, text, { now: () => now })).toEqual({})
})
