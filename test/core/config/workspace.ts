// A folder of its own for each test, and the config loaded in it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Loaded, type LoadOptions, type LoadResult, loadConfig } from '../../../core/config/load.ts'
import { renderDiagnostics } from '../../../core/config/render.ts'

export interface Workspace {
  readonly dir: string
  readonly write: (file: string, text: string) => string
  readonly load: (options?: Partial<LoadOptions>) => Promise<LoadResult>
  /** Loads and fails the test with the findings where there are errors. */
  readonly accept: (options?: Partial<LoadOptions>) => Promise<Loaded>
}

export function createWorkspace(files: Readonly<Record<string, string>> = {}): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-config-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const write = (file: string, text: string): string => {
    const path = join(dir, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  const load = (options: Partial<LoadOptions> = {}): Promise<LoadResult> =>
    loadConfig({ env: {}, cwd: dir, getSecret: async () => undefined, ...options })
  const accept = async (options?: Partial<LoadOptions>): Promise<Loaded> => {
    const result = await load(options)
    if (!result.ok) throw new Error(renderDiagnostics(result.diagnostics, false))
    return result
  }
  return { dir, write, load, accept }
}

export function codesOf(result: LoadResult): string[] {
  return (result.ok ? result.warnings : result.diagnostics).map(({ code }) => code)
}
