// `store.redis` holds a password: it comes in by reference, and never out.
import { expect, test } from 'vitest'
import { renderDiagnostics } from '../../../core/config/render.ts'
import { listShown } from '../../../core/config/show.ts'
import { createWorkspace } from './workspace.ts'

const load = (url: string) => createWorkspace({ 'mcpgw.yaml': `store:\n  redis: ${url}\n` })

test.each([
  ['redis://u:${secret:pw}@cache/1', 'redis://u:${secret:pw}@cache/1'],
  ['rediss://:${secret:pw}@cache:6380', 'rediss://:${secret:pw}@cache:6380'],
  ['${env:URL}', '${env:URL}'],
  ['rediss://:correct-horse@${env:HOST}', 'rediss://:[hidden]@${env:HOST}'],
])('%s is shown as %s, and its password is kept from leaving', async (url, shown) => {
  const env = { URL: 'redis://u:correct-horse@cache', HOST: 'cache' }
  const loaded = await load(url).accept({ env, getSecret: async () => 'correct-horse' })
  expect(loaded.config.store.redis).toContain('correct-horse')
  expect(listShown(loaded).find(one => one.path === 'store.redis')?.value).toBe(shown)
  expect(loaded.injected.map(one => one.value)).toContain('correct-horse')
})

test.each([
  'http://u:correct-horse@cache',
  'redis://u:correct-horse@cache/one',
  'redis://u:correct-horse@cache?db=1',
  'redis://u:correct-horse@cache#x',
  'redis://u:correct-horse%zz@cache',
  'redis:///1',
  'cache:6379',
  '""',
])('%s is no Redis server, and the message does not repeat the password', async url => {
  const result = await load(url).load()
  const said = result.ok ? '' : renderDiagnostics(result.diagnostics, false)
  expect(said).toContain('not a URL such as redis://')
  expect(said).not.toContain('correct-horse')
})
