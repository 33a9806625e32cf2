// stripe status: how billing stands, in a few lines.
import { alignColumns } from 'mcpgw/plugin'
import { backlogOf, conditionsOf } from '../report.ts'
import { standings } from '../standing.ts'
import { type Io, time, withOutbox } from './with-outbox.ts'

export const showStatus = (io: Io): Promise<number> =>
  withOutbox(
    io,
    async ({ reader, outbox, terms }) => {
      const state = await reader.tally(terms, io.signal, true)
      const conditions = conditionsOf(state, io.config, { faults: new Map() })
      const shown = standings.filter(one => one !== 'billed')
      if (io.json) {
        const lines = Object.fromEntries(shown.map(one => [one, { lines: state.lines[one], due: state.due[one] }]))
        const since = terms.since === 0 ? null : new Date(terms.since).toISOString()
        io.out(
          JSON.stringify(
            { outbox: outbox.name, dryRun: io.config.dryRun, since, backlogSeconds: Math.round(state.age / 1000), lines, conditions },
            null,
            2,
          ),
        )
        return 0
      }
      io.out(`${outbox.name}${io.config.dryRun ? ' (dry run: nothing is sent)' : ''}`)
      io.out(
        `billing since ${terms.since === 0 ? 'ever' : time(terms.since)}; ${backlogOf(state)} lines are to be sent, the oldest for ${Math.round(state.age / 60_000)} min`,
      )
      const rows = shown.filter(one => state.lines[one] > 0).map(one => [one, String(state.lines[one]), String(state.due[one])])
      if (rows.length > 0) io.out(alignColumns([['STATE', 'LINES', 'DUE'], ...rows]))
      for (const condition of conditions) io.out(condition)
      return 0
    },
    () => {
      if (io.json) io.out(JSON.stringify({ outbox: null, lines: {}, conditions: [] }, null, 2))
      else io.out('Nothing has been billed yet: there is no outbox.')
      return 0
    },
  )
