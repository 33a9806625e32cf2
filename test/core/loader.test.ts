// From a name in the config to a plugin: where it is looked for, what is checked, and what the user is told.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { locate } from '../../core/loader/locate.ts'
import { type AnyPlugin, loadPlugin, type PluginEntry } from '../../core/loader.ts'
import { anyConfig, plug } from './define.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'loader-'))
  write('here.mjs', pluginSource('here'))
  write('throws.mjs', 'throw new Error("broken on purpose\\nsecond line")')
  write('no-plugin.mjs', 'export const name = "x"')
  write('folder/package.json', JSON.stringify({ name: 'folder', exports: { '.': { types: './x.d.ts', import: './lib/main.mjs' } } }))
  write('folder/lib/main.mjs', pluginSource('folder'))
  write('node_modules/mcpgw-plugin-hello/package.json', JSON.stringify({ name: 'mcpgw-plugin-hello', exports: './index.mjs' }))
  write('node_modules/mcpgw-plugin-hello/index.mjs', pluginSource('hello'))
  write('node_modules/@acme/guard/package.json', JSON.stringify({ name: '@acme/guard', type: 'module', main: 'main.js' }))
  write('node_modules/@acme/guard/main.js', pluginSource('acme-guard'))
  write('deep/er/mcpgw.yaml', '')
})
afterAll(() => rmSync(dir, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

function pluginSource(name: string): string {
  const config = `{ '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) } }`
  return `export default { name: ${JSON.stringify(name)}, apiVersion: 1, config: ${config}, capabilities: [], setup: () => ({}) }`
}

async function load(entry: Partial<PluginEntry> & { name: string }, from = dir) {
  const loaded = await loadPlugin({ config: {}, ...entry }, from)
  return loaded.kind === 'loaded' ? loaded.checked : loaded.findings
}
const given = (plugin: unknown, config: unknown = {}) => load({ name: 'given', plugin: plugin as AnyPlugin, config })

test.each([
  ['./here.mjs', 'here', 'path'],
  ['./folder', 'folder', 'path'],
  ['hello', 'hello', 'package'],
  ['mcpgw-plugin-hello', 'hello', 'package'],
  ['@acme/guard', 'acme-guard', 'package'],
])('%s is found and loaded', async (name, plugin, source) => {
  expect(await load({ name })).toMatchObject({ plugin: { name: plugin }, source, failure: 'closed' })
})

test('an absolute path is loaded, and paths and packages are looked for beside the config file first', async () => {
  expect(await load({ name: join(dir, 'here.mjs') })).toMatchObject({ plugin: { name: 'here' } })
  const at = { file: join(dir, 'deep/er/mcpgw.yaml'), line: 1, column: 1 }
  expect(await load({ name: 'hello', at }, tmpdir())).toMatchObject({ plugin: { name: 'hello' } })
  expect(await load({ name: '../../here.mjs', at }, tmpdir())).toMatchObject({ plugin: { name: 'here' } })
})

test('what is not there is said with where it was looked for, and nothing is downloaded', async () => {
  const [finding] = (await load({ name: 'nowhere' })) as unknown as [{ help: string }]
  expect(finding).toMatchObject({ code: 'plugin-not-found', message: 'there is no plugin "nowhere"' })
  expect(finding.help).toContain('package mcpgw-plugin-nowhere, package nowhere')
  expect(finding.help).toContain(`from ${dir}`)
  expect(await load({ name: './gone.mjs' })).toMatchObject([{ code: 'plugin-not-found', help: `looked for ${join(dir, 'gone.mjs')}` }])
})

test.each(['a b', 'mcpgw/plugins/audit', 'https://example.org/x.js', 'data:text/javascript,1', 'node:fs', ''])(
  'the name %j reaches no file outside of the places for plugins',
  async name => {
    expect(await load({ name })).toMatchObject([{ code: 'plugin-not-found' }])
  },
)

test('a file that throws, or exports no plugin, is named with the reason', async () => {
  expect(await load({ name: './throws.mjs' })).toMatchObject([
    {
      code: 'plugin-broken',
      message: './throws.mjs could not be loaded: Error: broken on purpose',
      help: `it was found at ${join(dir, 'throws.mjs')}`,
    },
  ])
  expect(await load({ name: './no-plugin.mjs' })).toMatchObject([
    { code: 'plugin-shape', message: expect.stringContaining('the default export is no plugin') },
  ])
})

test.each([
  ['apiVersion 2', { apiVersion: 2 }, 'apiVersion is 2, this gateway has version 1'],
  ['no apiVersion', { apiVersion: undefined }, 'apiVersion is absent, this gateway has version 1'],
  ['a name in upper case', { name: 'Audit' }, 'its name must be lower-case letters, digits and dashes'],
  ['a typo', { discharge: ['x'] }, 'a plugin has no "discharge"; did you mean "discharges"?'],
  ['a config that is no schema', { config: {} }, 'its config is no Standard Schema (zod, valibot, ...)'],
  ['capabilities that are a text', { capabilities: 'masks' }, 'its capabilities must be a list, or a function that returns one'],
  ['an unknown capability', { capabilities: ['mask'] }, 'there is no capability "mask"; did you mean "masks"?'],
  [
    'capabilities that throw',
    {
      capabilities: () => {
        throw new Error('no')
      },
    },
    'its capabilities could not be asked: Error: no',
  ],
  ['requires that are no services', { requires: ['masking'] }, 'requires must be a list of services'],
  ['codes that are no function', { explains: {} }, 'explains must be a function that returns its codes'],
  ['no setup', { setup: undefined }, 'it has no setup'],
])('a plugin with %s is refused', async (_what, more, message) => {
  expect(await given({ ...plug('p', []), ...more })).toMatchObject([{ code: 'plugin-shape', message: expect.stringContaining(message) }])
})

test('the config is checked by the schema of the plugin, and findings carry the path into it', async () => {
  const plugin = plug(
    'p',
    [],
    {},
    { config: z.strictObject({ limits: z.array(z.strictObject({ max: z.number() })).default([]) }) as never },
  )
  expect(await given(plugin, {})).toMatchObject({ config: { limits: [] } })
  expect(await given(plugin, undefined)).toMatchObject({ config: { limits: [] } })
  expect(await given(plugin, { limits: [{ max: 1 }, { max: 'x' }], typo: 1 })).toMatchObject([
    { code: 'plugin-config', plugin: 'p', path: ['limits', 1, 'max'] },
    { code: 'plugin-config', plugin: 'p', path: [], message: expect.stringContaining('typo') },
  ])
})

test('a schema may be asynchronous; one that throws, or refuses without a reason, refuses', async () => {
  const schema = (validate: () => unknown) => ({ ...plug('p', []), config: { '~standard': { version: 1, vendor: 'test', validate } } })
  expect(await given(schema(async () => ({ value: 7 })))).toMatchObject({ config: 7 })
  expect(
    await given(
      schema(() => {
        throw new Error('x')
      }),
    ),
  ).toMatchObject([{ code: 'plugin-config', message: 'p: the check of the config threw: Error: x' }])
  expect(await given(schema(() => ({ issues: [] })))).toMatchObject([{ code: 'plugin-config' }])
})

test('capabilities may depend on the config', async () => {
  const plugin = plug('p', [], {}, { config: anyConfig, capabilities: config => ((config as { mask?: boolean }).mask ? ['masks'] : []) })
  expect(await given(plugin, { mask: true })).toMatchObject({ capabilities: new Set(['masks']) })
  expect(await given(plugin, {})).toMatchObject({ capabilities: new Set() })
})

test('a package that only looks like a built-in plugin does not take its place', () => {
  expect(locate('hello', [dir]).kind).toBe('package')
  expect(locate('mcpgw-plugin-hello', [tmpdir()]).kind).toBe('nowhere')
})
