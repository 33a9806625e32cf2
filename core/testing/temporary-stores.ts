// Real stores in a folder of their own, for the tests of a plugin that keeps something.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stores } from '../plugin/index.ts'
import { createStores } from '../store/index.ts'

export interface TemporaryStores extends Stores {
  readonly dir: string
  /** Removes the folder; what was opened in it must be closed. */
  remove(): void
}

/** `redis`: URL of a Redis server. */
export function createTemporaryStores(options: { readonly redis?: string } = {}): TemporaryStores {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-stores-'))
  return { ...createStores({ dataDir: dir, ...options }), dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}
