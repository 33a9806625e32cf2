// stripe resolve: an operator's word where neither the ledger nor Stripe can tell. It is put on record.
import { count, giveUp } from '../attempt.ts'
import type { Line } from '../line.ts'
import { isCancellable, standingOf, type Terms } from '../standing.ts'
import { type Io, withOutbox } from './with-outbox.ts'

export async function resolveLine(io: Io): Promise<number> {
  const { billed, notBilled } = io.options
  if ((billed === true) === (notBilled === true)) return refuse(io, 2, 'expected either --billed or --not-billed')
  return withOutbox(
    io,
    async ({ reader, outbox, terms }) => {
      const [line] = await reader.lines([String(io.args[0])])
      if (line === undefined) return refuse(io, 3, `there is no line ${String(io.args[0])}; see mcpgw stripe outbox`)
      const after = billed === true ? asBilled(line, terms) : asNotBilled(line)
      if (typeof after === 'string') return refuse(io, 3, `${line.id} ${after}`)
      if (!(await outbox.settle(line, after))) return refuse(io, 3, `${line.id} has changed meanwhile; look again`)
      const fate = billed === true ? 'billed' : 'not-billed'
      const detail = { line: line.id, fate, tenant: line.tenant, meter: line.event, before: line.sent, after: after.sent }
      const isRecorded = await io.record({ type: 'stripe.resolve', detail })
      io.out(io.json ? JSON.stringify({ id: line.id, fate }) : `${line.id}: ${fate}`)
      return isRecorded ? 0 : refuse(io, 3, `${line.id}: it is done, but could not be recorded`)
    },
    () => refuse(io, 3, 'there is no outbox yet'),
  )
}

/** Of what is uncertain: it was counted. Of what nobody will send: it was settled elsewhere. */
function asBilled(line: Line, terms: Terms): Pick<Line, 'sent' | 'attempt'> | string {
  const standing = standingOf(line, terms)
  // It is cancelled no more: that it was billed is certain now, from outside.
  const final = { lastIdentifier: '', lastValue: 0, lastAt: 0 }
  if (standing === 'uncertain') {
    const { sent, attempt } = count(line, terms.now)
    return { sent, attempt: { ...attempt, ...final } }
  }
  if (standing === 'expired' || standing === 'held' || (standing === 'credit' && !isCancellable(line, terms.now)))
    return { sent: line.wanted, attempt: { ...line.attempt, ...final, error: '' } }
  return `is ${standing}: the gateway goes on with it by itself`
}

function asNotBilled(line: Line): Pick<Line, 'sent' | 'attempt'> | string {
  if (line.attempt.state !== 'uncertain') return 'is not uncertain: what is not billed is known'
  const { sent, attempt } = giveUp(line)
  return { sent, attempt: { ...attempt, revision: attempt.revision + 1 } }
}

function refuse(io: Io, code: number, why: string): number {
  io.err(`stripe resolve: ${why}`)
  return code
}
