// Who counted what in a soak: the client, the audit log, usage and the metrics must say the same.
import type { MixedCalls } from '../chaos/mixed-calls.ts'
import { runCli } from '../e2e/cli.ts'
import { readRecords, verify } from '../e2e/records.ts'
import type { Soaked } from './judge.ts'

/** Of the gateway in `dir`, which has ended; `metrics` as they were before. */
export function readLedger(dir: string, metrics: string, load: MixedCalls): Soaked['ledger'] {
  const records = readRecords(dir)
  const outcomes = new Map(records.filter(({ type }) => type === 'outcome').map(({ callId, outcome }) => [callId, outcome]))
  const names = new Map(records.filter(({ type }) => type === 'intent').map(({ callId, args }) => [String(args?.name), callId]))
  const answered = [...load.answered.keys()].filter(name => outcomes.get(names.get(name)) === 'answered').length
  const inLog = [...outcomes.values()].filter(outcome => outcome === 'answered').length
  const refused = load.failed.get('denied unknown-tool') ?? 0
  const { out } = runCli(['usage', '--by', 'tool', '--json'], dir)
  const used = (JSON.parse(out) as { rows: { calls: number }[] }).rows.reduce((sum, { calls }) => sum + calls, 0)
  return [
    { what: 'calls that were answered, and those of them on record', counts: { client: load.answered.size, log: answered } },
    {
      what: 'answered calls, with those of the soak itself',
      counts: { log: inLog, metrics: sumOf(metrics, 'mcpgw_calls_total', 'outcome="answered"') },
    },
    { what: 'calls in all', counts: { log: outcomes.size, usage: used } },
    {
      what: 'refusals',
      counts: { client: refused, log: records.filter(({ type, tool }) => type === 'refusal' && tool === 'arguments').length },
    },
    { what: 'exit code of audit verify without a checkpoint', counts: { expected: 4, was: verify(dir).code ?? -1 } },
  ]
}

function sumOf(metrics: string, name: string, label: string): number {
  return metrics
    .split('\n')
    .filter(line => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
