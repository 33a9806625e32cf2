// stripe outbox: lines, how each stands and why.
import { alignColumns } from 'mcpgw/plugin'
import type { Line } from '../line.ts'
import { type Standing, standingOf, standings, type Terms } from '../standing.ts'
import { type Io, time, withOutbox } from './with-outbox.ts'

export async function listOutbox(io: Io): Promise<number> {
  const { state, limit: most } = io.options
  const limit = Number(most ?? 50)
  if (!Number.isInteger(limit) || limit < 1) return refuse(io, '--limit: expected a whole number from 1')
  if (state !== undefined && !standings.includes(state as Standing)) return refuse(io, `--state: expected one of ${standings.join(', ')}`)
  return withOutbox(
    io,
    async ({ reader, terms }) => {
      const { lines, total } = await reader.list(state as Standing | undefined, terms, limit)
      show(io, lines, terms)
      if (total > limit) io.err(`${total - limit} more; see --limit`)
      return 0
    },
    () => {
      show(io, [], { config: io.config, since: 0, now: 0 })
      return 0
    },
  )
}

function show(io: Io, lines: readonly Line[], terms: Terms): void {
  if (io.json) return io.out(JSON.stringify({ lines: lines.map(line => describe(line, terms)) }, null, 2))
  if (lines.length === 0) return io.err('No lines.')
  const rows = lines.map(line => [
    line.id,
    time(line.start),
    line.tenant || '-',
    line.event,
    String(line.wanted),
    String(line.sent),
    standingOf(line, terms),
    line.attempt.error,
  ])
  io.out(alignColumns([['ID', 'WINDOW', 'TENANT', 'METER', 'USED', 'BILLED', 'STATE', 'WHY'], ...rows]))
}

function describe(line: Line, terms: Terms): object {
  const { id, tenant, event, of, start, end, wanted, sent, attempt } = line
  const { customer, identifier, value, error, kind } = attempt
  const attempted = attempt.state === 'idle' ? {} : { attempt: { kind, identifier, value, tried: new Date(attempt.tried).toISOString() } }
  const span = { start: new Date(start).toISOString(), end: new Date(end).toISOString() }
  return { id, ...span, tenant, event, of, used: wanted, billed: sent, state: standingOf(line, terms), customer, why: error, ...attempted }
}

function refuse(io: Io, why: string): number {
  io.err(`stripe outbox: ${why}`)
  return 2
}
