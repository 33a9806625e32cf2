// `mcpgw config show`: the config in force, with the origin of every value where asked, and never a secret.

import { stringify } from 'yaml'
import { listShown, type ShownValue, toShownConfig } from '../config/show.ts'
import { printable } from '../plugin/index.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'

export async function showConfig(io: VerbIo): Promise<number> {
  const loaded = await loadFor(io)
  if (loaded === 2) return 2
  const values = listShown(loaded)
  const origins = io.options.origin === true
  for (const { section, file, line } of loaded.unenforced)
    io.err(`warning[unenforced]: ${file}:${line}: no loaded plugin enforces ${section}\n`)
  if (io.json) {
    const origin = origins ? { origins: Object.fromEntries(values.map(one => [one.path, one.origin])) } : {}
    io.out(`${JSON.stringify({ file: loaded.file ?? null, config: toShownConfig(values), ...origin }, null, 2)}\n`)
  } else io.out(origins ? table(values) : stringify(toShownConfig(values), { lineWidth: 0 }))
  return 0
}

function table(values: readonly ShownValue[]): string {
  const left = values.map(({ path, value }) => printable(`${path} = ${JSON.stringify(value)}`))
  const width = Math.min(60, Math.max(...left.map(text => text.length)))
  return values.map(({ origin }, index) => `${left[index]!.padEnd(width)}  # ${printable(origin)}\n`).join('')
}
