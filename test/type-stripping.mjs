// Lets worker threads and further processes of the tests load TypeScript on a Node that cannot: their sources are run as they are, without a build.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if ((!isMainThread || process.env.VITEST === undefined) && !process.features.typescript) register(import.meta.url)

/**
 * @param {string} url
 * @param {object} context
 * @param {(url: string, context: object) => unknown} next
 */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const { transformSync } = await import('rolldown/experimental')
  const source = await readFile(new URL(url), 'utf8')
  return { format: 'module', shortCircuit: true, source: transformSync(url, source, { lang: 'ts' }).code }
}
