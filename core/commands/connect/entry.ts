// What stands in a client's file for the gateway: a program that it starts, or an address and where the key comes from.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Loaded } from '../../config/load.ts'
import { type Client, KEY_INPUT, KEY_VARIABLE } from '../clients/table.ts'

/** Plain Node runs the built files only; from the sources (in tests) the build beside them is meant. */
const CLI = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../../dist/core/cli.js' : '../../cli.js', import.meta.url))

/** Such clients start programs in a folder and with a PATH of their own: so nothing here is looked up or relative. */
export function stdioEntry({ file, config }: Pick<Loaded, 'file' | 'config'>, cwd: string, client: Client): object {
  const where = file === undefined ? ['--data-dir', config.store.dir] : ['--config', resolve(cwd, file)]
  return { ...(client.isTyped && { type: 'stdio' }), command: process.execPath, args: [CLI, 'run', '--stdio', ...where] }
}

export interface Endpoint {
  readonly url: string
  /** Absent where the gateway asks for none. */
  readonly key?: string
}

export function httpEntry({ url, key }: Endpoint, client: Client): object {
  const forms = { file: key, variable: `\${${KEY_VARIABLE}}`, input: `\${input:${KEY_INPUT}}` }
  const headers = key === undefined ? {} : { headers: { Authorization: `Bearer ${forms[client.key]}` } }
  return { ...(client.isTyped && { type: 'http' }), url, ...headers }
}

/** Of a client that asks for the key. */
export const keyInput: object = { type: 'promptString', id: KEY_INPUT, description: 'API key of the gateway', password: true }

/** npx keeps packages in a cache that it may empty. */
export function isPassing(): boolean {
  return /[\\/]_npx[\\/]/.test(CLI)
}
