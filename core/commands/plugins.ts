// `mcpgw plugins list|order`: which plugins there are, which the config loads, and whether their order holds.

import { builtInPlugins } from '../config/load.ts'
import { renderDiagnostics } from '../config/render.ts'
import { alignColumns } from '../plugin/index.ts'
import { checkPlugins, type PluginsChecked } from './check-plugins.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'

export async function listPlugins(io: VerbIo): Promise<number> {
  const loaded = await loadFor(io)
  if (loaded === 2) return 2
  const others = builtInPlugins.filter(name => loaded.config.plugins.every(one => one.name !== name)).map(name => ({ name, config: {} }))
  const [own, rest] = await Promise.all([loaded.config.plugins, others].map(all => checkPlugins(all, io.cwd, loaded.origins)))
  // One that needs a config of its own is there all the same.
  const without = others.map(({ name }) => rest!.plugins.find(one => one.name === name) ?? { name, source: 'built-in', capabilities: [] })
  const rows = [own!.plugins, without].flatMap((all, i) =>
    all.map(({ name, capabilities, source }) => ({ name, loaded: i === 0, source, capabilities })),
  )
  if (io.json) io.out(`${JSON.stringify({ plugins: rows }, null, 2)}\n`)
  else {
    io.out(alignColumns(rows.map(row => [`${row.loaded ? '*' : ' '} ${row.name}`, row.source, row.capabilities.join(', ')])))
    io.err('\n* loaded by the config\n')
  }
  const broken = [own!, rest!]
    .flatMap(({ findings }) => findings)
    .filter(({ code }) => code === 'plugin-broken' || code === 'plugin-not-found' || code === 'plugin-shape')
  if (broken.length > 0) io.err(renderDiagnostics(broken, io.color.err))
  return broken.length > 0 ? 1 : 0
}

export async function showOrder(io: VerbIo): Promise<number> {
  const loaded = await loadFor(io)
  if (loaded === 2) return 2
  const checked = await checkPlugins(loaded.config.plugins, io.cwd, loaded.origins)
  const holds = checked.findings.length === 0
  if (io.json)
    io.out(`${JSON.stringify({ holds, open: isOpen(checked), plugins: checked.plugins, findings: checked.findings }, null, 2)}\n`)
  else {
    io.out(alignColumns(checked.plugins.map(({ name, capabilities }, index) => [`${index + 1}. ${name}`, capabilities.join(', ')])))
    if (isOpen(checked)) io.err('\nNo plugin decides: every call is let through.\n')
  }
  if (!holds) io.err(renderDiagnostics(checked.findings, io.color.err))
  return holds ? 0 : 2
}

function isOpen({ plugins }: PluginsChecked): boolean {
  return !plugins.some(({ capabilities }) => capabilities.includes('decides'))
}
