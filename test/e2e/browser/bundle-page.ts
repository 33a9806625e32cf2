// Bundles the page and its worker for browsers as a user of the package would, with the Vite that vitest brings.
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Vite } from 'vitest/node'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Into `outDir`. Answers the files that went into the worker; throws where one of them asks for Node. */
export async function bundlePage(outDir: string): Promise<readonly string[]> {
  const ofVitest = createRequire(createRequire(import.meta.url).resolve('vitest/package.json'))
  const vite = (await import(pathToFileURL(ofVitest.resolve('vite')).href)) as typeof Vite
  const modules: string[] = []
  const collect: Vite.Plugin = {
    name: 'collect-modules',
    moduleParsed({ id }) {
      modules.push(id)
    },
  }
  await vite.build({
    root,
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true },
    worker: { format: 'es', plugins: () => [collect] },
  })
  const ofNode = modules.filter(id => id.startsWith('node:') || id.includes('browser-external'))
  if (ofNode.length > 0) throw new Error(`the bundle asks for Node: ${ofNode.join(', ')}`)
  return modules
}
