// The sections `telemetry` and `metrics`: what may stand there, and that nothing secret of it is shown.
import { expect, test } from 'vitest'
import { listShown } from '../../../core/config/show.ts'
import { createWorkspace } from './workspace.ts'

test('a collector alone is enough; the rest has defaults', async () => {
  const { accept } = createWorkspace({ 'mcpgw.yaml': 'telemetry: {otlp: "http://127.0.0.1:4318"}\n' })
  expect((await accept()).config.telemetry).toEqual({
    otlp: 'http://127.0.0.1:4318',
    headers: {},
    sample: 1,
    content: false,
    metricsMs: 60_000,
  })
})

test('without the section there is none', async () => {
  const { accept } = createWorkspace({ 'mcpgw.yaml': 'servers: []\n' })
  expect((await accept()).config).not.toHaveProperty('telemetry')
})

test('headers and the token of metrics are shown nowhere, and are known as secrets', async () => {
  const text = `metrics: {token: "${'t'.repeat(24)}"}\ntelemetry: {otlp: "https://c.example", headers: {Authorization: "Bearer opensesame"}, metrics: 0}\n`
  const { accept } = createWorkspace({ 'mcpgw.yaml': text })
  const loaded = await accept()
  const shown = JSON.stringify(listShown(loaded))
  expect(shown).toContain('telemetry.headers.Authorization')
  expect(shown).not.toMatch(/opensesame|tttt/)
  expect(loaded.injected.map(({ value }) => value)).toEqual(expect.arrayContaining(['opensesame', 't'.repeat(24)]))
  expect(loaded.config.telemetry?.metricsMs).toBe(0)
})
