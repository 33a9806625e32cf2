// `store.url` holds a password: it comes in by reference, and never out.
import { expect, test } from 'vitest'
import { hidePassword } from '../../../core/config/database-url.ts'
import { renderDiagnostics } from '../../../core/config/render.ts'
import { listShown } from '../../../core/config/show.ts'
import { createWorkspace } from './workspace.ts'

const load = (url: string) => createWorkspace({ 'mcpgw.yaml': `store:\n  url: ${url}\n` })

test.each([
  ['postgres://u:${secret:pw}@db/audit', 'postgres://u:${secret:pw}@db/audit'],
  ['${env:URL}', '${env:URL}'],
  ['postgres://u:correct-horse@${env:HOST}/audit', 'postgres://u:[hidden]@${env:HOST}/audit'],
  ['postgres://u:correct-horse@db/audit?sslmode=require', 'postgres://u:[hidden]@db/audit?sslmode=require'],
  ['postgres:///audit?host=/run/postgresql&password=correct-horse', 'postgres:///audit?host=/run/postgresql&password=[hidden]'],
])('%s is shown as %s, and its password is kept from leaving', async (url, shown) => {
  const env = { URL: 'postgres://u:correct-horse@db/audit', HOST: 'db' }
  const loaded = await load(url).accept({ env, getSecret: async () => 'correct-horse' })
  expect(loaded.config.store.url).toContain('correct-horse')
  expect(listShown(loaded).find(one => one.path === 'store.url')?.value).toBe(shown)
  expect(loaded.injected.map(one => one.value)).toContain('correct-horse')
})

test.each(['mysql://u:correct-horse@db/audit', 'postgres://u:correct-horse@db', 'postgres://u:correct-horse@db/', 'audit', '""'])(
  '%s is no database, and the message does not repeat the password',
  async url => {
    const result = await load(url).load()
    const said = result.ok ? '' : renderDiagnostics(result.diagnostics, false)
    expect(said).toContain('not a URL such as postgres://')
    expect(said).not.toContain('correct-horse')
  },
)

test('a password with signs of its own is hidden whole', () => {
  expect(hidePassword('postgres://u:p@ss:w/rd@db/audit')).toBe('postgres://u:[hidden]@db/audit')
})
