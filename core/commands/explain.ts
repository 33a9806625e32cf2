// `mcpgw explain CODE`: what a code means on each channel and what to do about it.
import { diagnosticCodes, isDiagnosticCode } from '../config/diagnostic.ts'
import { suggest } from '../config/suggest.ts'
import { errors, isErrorCode } from '../errors.ts'
import { findingCodes } from '../finding.ts'
import type { VerbIo } from './verb.ts'

export async function explain(io: VerbIo): Promise<number> {
  const code = String(io.args[0])
  const known = describe(code)
  if (known === undefined) {
    const near = suggest(code, [errors, diagnosticCodes, findingCodes].flatMap(Object.keys))
    io.err(`error[unknown-code]: there is no code "${code}"\n${near === undefined ? '' : `  = help: did you mean ${near}?\n`}`)
    return 2
  }
  if (io.json) io.out(`${JSON.stringify({ code, ...known }, null, 2)}\n`)
  else io.out(`${code}: ${known.text}\n\n${known.help}\n${known.rpc === undefined ? '' : `\nJSON-RPC ${known.rpc}, HTTP ${known.http}\n`}`)
  return 0
}

function describe(code: string): { text: string; help: string; rpc?: number; http?: number } | undefined {
  if (isErrorCode(code)) return errors[code]
  const start = Object.entries(findingCodes).find(([one]) => one === code)?.[1]
  if (start !== undefined) return { text: 'keeps the gateway from starting', help: start }
  return isDiagnosticCode(code) ? { text: 'a finding about the config', help: diagnosticCodes[code] } : undefined
}
