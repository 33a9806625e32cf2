// What Stripe took and found invalid afterwards: it is not counted, whatever the ledger says.
import { disown } from './attempt.ts'
import type { Billing, Meters } from './billing.ts'
import type { OutboxReader, OutboxWriter } from './store/outbox.ts'

const DAY_MS = 24 * 3_600_000

export interface Looking {
  readonly billing: Billing
  readonly meters: Meters
  readonly events: Iterable<string>
  readonly reader: OutboxReader
  readonly writer: OutboxWriter
  readonly now: () => number
  /** Of the meter of this event; undefined: nothing in the last day. */
  readonly onFault: (event: string, why: string | undefined) => void
}

/** Rejects with `Unanswered` where Stripe does not say. */
export async function lookForFaults({ billing, meters, events, reader, writer, now, onFault }: Looking): Promise<void> {
  for (const event of new Set(events)) {
    const meter = meters.get(event)
    if (meter === undefined) continue
    const found = await billing.faults(meter, now() - DAY_MS)
    const named = new Map(found.flatMap(({ identifiers, why }) => identifiers.map(identifier => [identifier, why] as const)))
    const lines = named.size === 0 ? [] : await reader.sentAs([...named.keys()])
    const attempts = lines.flatMap(line => {
      const why = line.attempt.state === 'idle' ? named.get(line.attempt.lastIdentifier) : undefined
      return why === undefined ? [] : [disown(line, `Stripe took it and found it invalid: ${why}`)]
    })
    if (attempts.length > 0) await writer.commit({ attempts })
    onFault(event, found[0]?.why)
  }
}
