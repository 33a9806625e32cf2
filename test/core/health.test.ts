// Health: the worst component decides, and what is shown holds neither secrets nor the output of a server.
import { expect, test } from 'vitest'
import { createHealth } from '../../core/health.ts'

test('the gateway is as well as its worst component, and each change is told once', () => {
  let now = 0
  const changes: string[] = []
  const health = createHealth({ clock: { now: () => now }, onChange: (name, status, why) => changes.push(`${name} ${status} ${why}`) })
  const audit = health.component('audit')
  const redact = health.component('redact')
  expect(health.status).toBe('ok')
  now = 5_000
  redact.set({ status: 'degraded', why: 'slow' })
  audit.set({ status: 'failing', why: 'disk full' })
  now = 9_000
  audit.set({ status: 'failing', why: 'disk still full' })
  expect(health.view()).toEqual({
    status: 'failing',
    open: false,
    components: [
      { name: 'audit', status: 'failing', why: 'disk still full', since: '1970-01-01T00:00:05.000Z' },
      { name: 'redact', status: 'degraded', why: 'slow', since: '1970-01-01T00:00:05.000Z' },
    ],
  })
  audit.set(undefined)
  expect(health.status).toBe('degraded')
  redact.remove()
  expect(health.status).toBe('ok')
  expect(changes).toEqual(['redact degraded slow', 'audit failing disk full', 'audit ok undefined'])
})

test('a reason is one short scrubbed line', () => {
  const health = createHealth({ clock: { now: () => 0 }, scrub: text => text.replaceAll('hunter2', '***') })
  health.component('server').set({ status: 'failing', why: `hunter2 \u001b[31m${'x'.repeat(500)}\nTraceback (most recent call last)` })
  const { why } = health.view().components[0]!
  expect(why).toMatch(/^\*\*\* \[31mx+…$/)
  expect(why!.length).toBeLessThanOrEqual(200)
})
