// The config as a verb asks for it: its flags understood, secrets from their store, findings printed.

import { type Loaded, type LoadOptions, type LoadResult, loadConfig } from '../config/load.ts'
import { renderDiagnostics } from '../config/render.ts'
import { createSecretStore } from '../secrets.ts'
import { listOption, textOption, type VerbIo } from './verb.ts'

type Asker = Pick<VerbIo, 'options' | 'env' | 'cwd'>

export function loadOptions(io: Asker): LoadOptions {
  return {
    file: textOption(io, 'config'),
    mcpJson: textOption(io, 'mcpJson'),
    plugins: listOption(io, 'plugin'),
    flags: {
      dataDir: textOption(io, 'dataDir'),
      listen: textOption(io, 'http'),
      log: textOption(io, 'log'),
      observe: io.options.observe === true,
    },
    env: io.env,
    cwd: io.cwd,
    getSecret: (name, from) => createSecretStore(from).get(name),
  }
}

/** A config that cannot be loaded is told to the user: the number is the exit code. Warnings go to stderr. */
export async function loadFor(io: Asker & Pick<VerbIo, 'err' | 'out' | 'json' | 'color'>): Promise<Loaded | 2> {
  const result = await loadConfig(loadOptions(io))
  report(result, io)
  return result.ok ? result : 2
}

function report(result: LoadResult, io: Pick<VerbIo, 'err' | 'out' | 'json' | 'color'>): void {
  const found = result.ok ? result.warnings : result.diagnostics
  if (io.json && !result.ok) io.out(`${JSON.stringify({ error: 'config', diagnostics: found }, null, 2)}\n`)
  if (found.length > 0) io.err(renderDiagnostics(found, io.color.err))
}
