// How the limits and the isolation of child servers are read: amounts of memory, defaults, and what has no meaning for a remote server.
import { expect, test } from 'vitest'
import { parseSize } from '../../../core/config/size.ts'
import { codesOf, createWorkspace } from './workspace.ts'

test.each([
  ['512MiB', 512 * 1024 ** 2],
  ['2GiB', 2 * 1024 ** 3],
  ['1.5 GB', 1.5e9],
  ['100KB', 1e5],
  [1048576, 1048576],
  ['2g', undefined],
  ['-1', undefined],
  ['1e9', undefined],
  ['', undefined],
])('%j is %j bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test('a child server has the defaults, or what its entry says', async () => {
  const { accept } = createWorkspace({
    'mcpgw.yaml': `
servers:
  - { id: a, command: node }
  - { id: b, command: node, isolation: group, limits: { processes: 5, memory: 64MiB, files: 99 } }
`,
  })
  const { config } = await accept()
  expect(config.servers).toMatchObject([
    { isolation: 'auto', processes: { processes: 128, memoryBytes: 4 * 1024 ** 3, files: 4096 } },
    { isolation: 'group', processes: { processes: 5, memoryBytes: 64 * 1024 ** 2, files: 99 } },
  ])
})

test('limits of processes and isolation stand at no remote server', async () => {
  const { load } = createWorkspace({
    'mcpgw.yaml': 'servers: [{ id: a, url: "https://example.com/mcp", isolation: group, limits: { memory: 1GiB, queue: 5 } }]\n',
  })
  const refused = await load()
  expect(codesOf(refused)).toEqual(['conflicting-keys', 'conflicting-keys'])
})

test.each(['memory: 1', 'memory: lots', 'processes: 0', 'files: 2'])('limits: { %s } is refused', async limit => {
  const { load } = createWorkspace({ 'mcpgw.yaml': `servers: [{ id: a, command: node, limits: { ${limit} } }]\n` })
  expect(codesOf(await load())).toEqual(['bad-value'])
})
