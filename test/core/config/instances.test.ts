// How the instances of a server are read: each a server of its own with the id of all, secrets of each held, and what makes no sense refused.
import { expect, test } from 'vitest'
import { placeOf, placesOf, versionsOf } from '../../../core/config/places.ts'
import { listShown } from '../../../core/config/show.ts'
import { codesOf, createWorkspace } from './workspace.ts'

test('each is reached in place of the server, with its id, and with headers of its own beside those of all', async () => {
  const { accept } = createWorkspace({
    'mcpgw.yaml': `
servers:
  - { id: a, headers: { X-All: "1" }, instances: [http://one/mcp, { url: http://two/mcp, headers: { X-Own: "2" } }] }
  - { id: b, command: node, shared: true, instances: 3, balance: by-principal }
  - { id: c, url: http://three/mcp }
`,
  })
  const [a, b, c] = (await accept()).config.servers.flatMap(server => versionsOf(server))
  expect(placesOf(a!)).toMatchObject([
    { id: 'a', instance: 1, url: 'http://one/mcp', headers: { 'X-All': '1' }, balance: 'least-pending' },
    { id: 'a', instance: 2, url: 'http://two/mcp', headers: { 'X-All': '1', 'X-Own': '2' } },
  ])
  expect(placesOf(b!).map(placeOf)).toEqual(['b#1', 'b#2', 'b#3'])
  expect(placesOf(c!)).toEqual([c])
  expect(placesOf(a!)).toBe(placesOf(a!))
})

test('a secret in the headers of one is known as such, and not shown', async () => {
  const { accept } = createWorkspace({
    'mcpgw.yaml': `
servers:
  - { id: a, instances: [{ url: http://one/mcp, headers: { Authorization: "Bearer written-here" } }, { url: http://two/mcp, headers: { X-Token: "\${env:TOKEN}" } }] }
`,
  })
  const loaded = await accept({ env: { TOKEN: 'out-of-the-environment' } })
  expect(loaded.injected.map(({ value }) => value)).toEqual(expect.arrayContaining(['written-here', 'out-of-the-environment']))
  const shown = JSON.stringify(listShown(loaded).map(({ value }) => value))
  expect(shown).not.toMatch(/written-here|out-of-the-environment/)
})

test.each([
  'instances: [http://one/mcp], url: http://two/mcp',
  'instances: [http://one/mcp], command: node',
  'instances: 3, url: http://two/mcp',
  'instances: 3, command: node',
  'balance: round-robin, url: http://two/mcp',
])('what makes no sense is refused: %s', async entry => {
  const { load } = createWorkspace({ 'mcpgw.yaml': `servers: [{ id: a, ${entry} }]\n` })
  expect(codesOf(await load())).toEqual(['conflicting-keys'])
})
