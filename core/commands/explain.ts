// `mcpgw explain CODE`: what a code means, wherever it is told, and what to do about it.
import { builtInPlugins } from '../config/built-in.ts'
import { diagnosticCodes } from '../config/diagnostic.ts'
import { errors } from '../errors.ts'
import { findingCodes } from '../finding.ts'
import type { ExplainedCode } from '../plugin/index.ts'
import { nearest } from '../plugin/suggest.ts'
import { importBuiltIns, type KnownPlugin, loadConfigured } from './known-plugins.ts'
import type { VerbIo } from './verb.ts'

/** One code may be told by several: each then says what it means by it. */
interface Meaning extends ExplainedCode {
  /** Who tells it: `gateway`, `start`, `config`, or the plugin. */
  readonly by: string
  readonly rpc?: number
  readonly http?: number
}
type Codes = ReadonlyMap<string, readonly Meaning[]>

const MOST_SUGGESTED = 3

export async function explain(io: VerbIo): Promise<number> {
  const code = String(io.args[0])
  const configured = await loadConfigured(io)
  const codes = await gather([...(await importBuiltIns(builtInPlugins, io)), ...(configured ?? [])], io)
  const [first, ...others] = codes.get(code) ?? []
  if (first === undefined) {
    const near = findClose(code, [...codes.keys()])
    io.err(`error[unknown-code]: there is no code "${code}"\n`)
    if (near.length > 0) io.err(`  = help: did you mean ${near.join(', ')}?\n`)
    if (configured === undefined) io.err('  = help: the config does not load, so codes of the plugins that it names are not known\n')
    return 2
  }
  if (io.json) io.out(`${JSON.stringify({ code, ...first, ...(others.length > 0 && { also: others }) }, null, 2)}\n`)
  else io.out(others.length === 0 ? render(code, first) : [first, ...others].map(one => render(code, one, ` (${one.by})`)).join('\n'))
  return 0
}

function render(code: string, { text, help, severity, examples = [], rpc, http }: Meaning, by = ''): string {
  const title = severity === undefined ? code : `${severity}[${code}]`
  const parts = [`${title}: ${text}${by}`, help]
  for (const example of examples) parts.push(`${example.title}:`, example.text.replaceAll(/^(?=.)/gm, '  '))
  if (rpc !== undefined) parts.push(`JSON-RPC ${rpc}, HTTP ${http}`)
  return `${parts.join('\n\n')}\n`
}

async function gather(plugins: readonly KnownPlugin[], io: Pick<VerbIo, 'err'>): Promise<Codes> {
  const codes = new Map<string, Meaning[]>()
  const add = (code: string, meaning: Meaning) => codes.set(code, [...(codes.get(code) ?? []), meaning])
  for (const [code, entry] of Object.entries(errors)) add(code, { by: 'gateway', ...entry })
  for (const [code, help] of Object.entries(findingCodes)) add(code, { by: 'start', text: 'keeps the gateway from starting', help })
  for (const [code, help] of Object.entries(diagnosticCodes)) add(code, { by: 'config', text: 'a finding about the config', help })
  for (const { plugin } of plugins) {
    try {
      for (const [code, entry] of Object.entries((await plugin.explains?.()) ?? {})) add(code, { by: plugin.name, ...entry })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      io.err(`warning[plugin-broken]: the plugin ${plugin.name} cannot say what its codes mean: ${why}\n`)
    }
  }
  return codes
}

// Misspelt ones first, then those that have the word in them.
function findClose(word: string, codes: readonly string[]): readonly string[] {
  const holding = codes.filter(code => word.length > 2 && code.includes(word.toLowerCase()))
  return [...new Set([...nearest(word, codes), ...holding])].slice(0, MOST_SUGGESTED)
}
