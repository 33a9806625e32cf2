// A key that is a secret: asked for again with another certificate, and when somebody wants it, and not every few seconds.
import { copyFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { openTls } from '../../../core/downstream/tls.ts'
import { createHealth } from '../../../core/health.ts'
import { createFakeClock } from '../../../core/testing/fake-clock.ts'
import { createAuthority } from './certificates.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

async function open() {
  const authority = createAuthority()
  const own = authority.issue('own')
  const clock = createFakeClock(Date.now())
  const health = createHealth({ clock })
  const kept = { value: own.pem.key as string | undefined, asked: 0 }
  const shown: SecureContextOptions[] = []
  const tls = {
    cert: own.cert,
    key: own.pem.key,
    keySecret: 'tls-key',
    clientCertificates: 'none',
    minVersion: '1.2',
    root: authority.dir,
  } as const
  const keeper = await openTls(tls, {
    clock,
    log,
    health,
    async getSecret(name) {
      expect(name).toBe('tls-key')
      kept.asked++
      return kept.value ?? { kind: 'secret-fault', code: 'not-found', problem: 'there is no secret tls-key', help: 'put it there' }
    },
  })
  onTestFinished(() => keeper.stop())
  keeper.attach({ setSecureContext: options => void shown.push(options) })
  return { authority, own, keeper, kept, shown, health }
}

test('a renewed pair is in force after a reload, with the key from where secrets are', async () => {
  const { authority, own, keeper, kept, shown, health } = await open()
  const next = authority.issue('next')
  copyFileSync(next.cert, own.cert)
  kept.value = next.pem.key
  await keeper.reload()
  expect(shown.map(({ key }) => (key as Buffer).toString())).toEqual([next.pem.key])
  expect(health.status).toBe('ok')
})

test('a new certificate with the old key, or none, leaves the pair in force; a reload asks again', async () => {
  const { authority, own, keeper, kept, shown, health } = await open()
  const next = authority.issue('next')
  copyFileSync(next.cert, own.cert)
  await keeper.reload()
  expect(health.view().components[0]?.why).toContain('is not the key of the certificate')
  kept.value = undefined
  await keeper.reload()
  expect(health.view().components[0]?.why).toContain('there is no secret tls-key')
  expect(shown).toEqual([])
  kept.value = next.pem.key
  await keeper.reload()
  expect([shown.length, kept.asked, health.status]).toEqual([1, 3, 'ok'])
})
