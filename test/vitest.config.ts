// One configuration for all tests: source is run without a build, by the same export condition as tsc uses.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions: ['mcpgw-source'] },
  ssr: {
    // Given to Node, too: with `import` among them, `require` in a package would get the module that is meant for import.
    resolve: { conditions: ['mcpgw-source'] },
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Many tests wait for real processes: on a CI machine that others keep busy, a promise gets a second chance, and the report says so.
    retry: process.env.CI === undefined ? 0 : 2,
    pool: 'forks',
    maxWorkers: 2,
    // Threads of the product are started from its sources too.
    execArgv: ['--conditions=mcpgw-source', '--import', fileURLToPath(new URL('type-stripping.mjs', import.meta.url))],
  },
})
