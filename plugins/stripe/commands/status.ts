// stripe status: how billing stands, in a few lines.
import { alignColumns, printable } from 'mcpgw/plugin'
import { describeStatus, readStatus, type Status } from '../status.ts'
import { type Io, time, withOutbox } from './with-outbox.ts'

export const showStatus = (io: Io): Promise<number> =>
  withOutbox(
    io,
    async ({ reader, outbox, terms }) => {
      const facts = await readStatus(reader, { ...terms, config: io.config }, outbox.name, io.signal)
      const status = describeStatus(facts, io.config, NOT_RUNNING)
      if (io.json) io.out(JSON.stringify(status, null, 2))
      else for (const line of toText(status)) io.out(line)
      return 0
    },
    () => {
      if (io.json) io.out(JSON.stringify(describeStatus(undefined, io.config, NOT_RUNNING), null, 2))
      else io.out('Nothing has been billed yet: there is no outbox.')
      return 0
    },
  )

const NOT_RUNNING = { bills: false, trouble: { faults: new Map<string, string>() } }

function toText({ outbox, dryRun, since, lastSuccess, lastFailure, lines, ledger, conditions, ...backlog }: Status): string[] {
  const rows = Object.entries(lines).filter(([, one]) => one.lines > 0)
  return [
    `${outbox}${dryRun ? ' (dry run: nothing is sent)' : ''}`,
    `billing since ${since === null ? 'ever' : time(since)}; ${backlog.backlogLines} lines are to be sent, the oldest for ${Math.round(backlog.backlogSeconds / 60)} min`,
    ...(lastSuccess === null ? [] : [`last billed at ${time(lastSuccess)}`]),
    ...(lastFailure === null
      ? []
      : [`last failed${lastFailure.at === null ? '' : ` at ${time(lastFailure.at)}`}: ${printable(lastFailure.why)}`]),
    ...(rows.length === 0
      ? []
      : [alignColumns([['STATE', 'LINES', 'DUE'], ...rows.map(([name, one]) => [name, String(one.lines), String(one.due)])])]),
    ...(ledger?.agrees === false
      ? [`yesterday and today ${ledger.differences.length} sums differ: see mcpgw stripe reconcile --offline`]
      : []),
    ...conditions,
  ]
}
