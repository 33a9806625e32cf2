// What `mcpgw/testing` has for plugins with commands and stores: the verb runs as on the command line, the store is real and goes away.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { definePlugin, type Plugin } from '../../../core/plugin/index.ts'
import { createTemporaryStores, runCommand } from '../../../core/testing/index.ts'

const tally: Plugin<{ file: string }> = definePlugin({
  name: 'tally',
  apiVersion: 1,
  config: z.strictObject({ file: z.string().default('tally.db') }),
  capabilities: [],
  commands: [
    {
      path: ['tally', 'add'],
      summary: 'Add',
      examples: ['mcpgw tally add'],
      load:
        async () =>
        async ({ args, json, config, stores, out, err }) => {
          const db = stores.open(config.file)
          db.exec('CREATE TABLE IF NOT EXISTS t (word TEXT)')
          db.prepare('INSERT INTO t VALUES (?)').run(String(args[0]))
          const count = db.prepare('SELECT word FROM t').all().length
          db.close()
          out(json ? JSON.stringify({ count }) : String(count))
          err('done')
          return 4
        },
    },
  ],
  setup: () => ({}),
})

test('a command runs on its checked config and real stores, and what it says is gathered line by line', async () => {
  const stores = createTemporaryStores()
  expect(await runCommand(tally, ['tally', 'add'], { args: ['a'], stores })).toEqual({ code: 4, out: '1\n', err: 'done\n' })
  expect((await runCommand(tally, ['tally', 'add'], { args: ['b'], stores, json: true })).out).toBe('{"count":2}\n')
  expect(existsSync(stores.resolve('tally.db'))).toBe(true)
  stores.remove()
  expect(existsSync(stores.dir)).toBe(false)
})

test('an unknown command, a refused config and a store that nobody gave are errors', async () => {
  await expect(runCommand(tally, ['tally', 'sub'])).rejects.toThrow('no command "tally sub"')
  await expect(runCommand(tally, ['tally', 'add'], { config: { fiel: 1 } })).rejects.toThrow('fiel')
  await expect(runCommand(tally, ['tally', 'add'])).rejects.toThrow('give it some')
})
