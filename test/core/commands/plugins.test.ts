// `mcpgw plugins list` knows every built-in plugin, also those that do not start without a config of their own.
import { expect, test } from 'vitest'
import { builtInPlugins } from '../../../core/config/built-in.ts'
import { createFolder, say } from './run-command.ts'

const HELLO = `const config = { '~standard': { version: 1, vendor: 'x', validate: value => ({ value }) } }
export default { name: 'hello', apiVersion: 1, config, capabilities: [], setup: () => ({}) }
`

test('lists those of the config first, in their order and whatever they are called there, and then all others that there are', async () => {
  const dir = createFolder({ 'mcpgw.yaml': 'servers: []\nplugins: [redact, ./hi.mjs, audit]\n', 'hi.mjs': HELLO })
  const { code, out, err } = await say(dir, ['plugins', 'list', '--json'])
  expect(code, err).toBe(0)
  const { plugins } = JSON.parse(out) as { plugins: { name: string; loaded: boolean }[] }
  const others = builtInPlugins.filter(name => name !== 'redact' && name !== 'audit')
  expect(plugins.map(({ name }) => name)).toEqual(['redact', 'hello', 'audit', ...others])
  expect(plugins.filter(({ loaded }) => loaded)).toHaveLength(3)
})
