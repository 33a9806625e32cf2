// From outcomes to what is added to the usage of each caller, tool and window: sums only, so that the order does not matter.
import type { DurableOutcome } from 'mcpgw/plugin'
import { kindOf, latencyBounds, type OutcomeKind, outcomeKinds } from './outcome-kinds.ts'
import { type Period, periodAt } from './periods.ts'
import { type Prices, targetOf, whole } from './prices.ts'
import type { Addition, Additions, VersionAddition } from './store/usage-store.ts'

const HOUR_MS = 3_600_000
// What is no time of any calendar is not let into the tables, nor the last month of them, which has no end.
const LATEST = 8.6e15

// What a server asks of a client is no usage of the client's.
const TO_CLIENT: ReadonlySet<string> = new Set(['sampling/createMessage', 'elicitation/create', 'roots/list'])

export interface TallyOptions {
  readonly window: 'hour' | 'day'
  readonly prices: Prices
}

type Growing = { -readonly [K in keyof Addition]: Addition[K] } & { ends: Record<OutcomeKind, number>; latency: number[] }

/** Each outcome is in the row of its window, and in that of its month; where the version of the server is known, in those of the version, too. */
export function tally(outcomes: readonly DurableOutcome[], { window, prices }: TallyOptions): Additions {
  const rows = new Map<string, Growing>()
  const versions = new Map<string, Growing & Pick<VersionAddition, 'version'>>()
  for (const outcome of outcomes) {
    if (TO_CLIENT.has(outcome.action)) continue
    const { tenant = '', subject = '', server = '', version = '' } = outcome
    const whose = { tenant, subject, server, target: targetOf(outcome) }
    // A correction belongs where the first end was counted.
    const at = outcome.revises?.at ?? outcome.at
    const time = Number.isSafeInteger(at) && Math.abs(at) <= LATEST ? at : 0
    const price = outcome.revises === undefined ? prices.of(outcome) : 0n
    for (const [span, period] of [
      ['window', windowAt(window, time)],
      ['month', periodAt('month', time)],
    ] as const) {
      const row = { span, start: period.from, end: period.to, ...whose }
      const key = JSON.stringify([span, period.from, ...Object.values(whose)])
      addTo(
        grow(rows, key, () => ({ ...emptyCounts(), ...row })),
        outcome,
        price,
      )
      if (version === '') continue
      addTo(
        grow(versions, `${key} ${version}`, () => ({ ...emptyCounts(), ...row, version })),
        outcome,
        price,
      )
    }
  }
  return { rows: [...rows.values()], versions: [...versions.values()] }
}

function windowAt(window: 'hour' | 'day', time: number): Period {
  if (window === 'day') return periodAt('day', time)
  const from = Math.floor(time / HOUR_MS) * HOUR_MS
  return { from, to: from + HOUR_MS }
}

function grow<T>(rows: Map<string, T>, key: string, make: () => T): T {
  const known = rows.get(key)
  if (known !== undefined) return known
  const row = make()
  rows.set(key, row)
  return row
}

export function emptyCounts(): Pick<Growing, 'ends' | 'latency' | 'requestBytes' | 'resultBytes' | 'milliUnits'> {
  const ends = Object.fromEntries(outcomeKinds.map(kind => [kind, 0])) as Record<OutcomeKind, number>
  return { ends, latency: Array.from({ length: latencyBounds.length + 1 }, () => 0), requestBytes: 0, resultBytes: 0, milliUnits: 0n }
}

function addTo(row: Growing, outcome: DurableOutcome, price: bigint): void {
  const kind = kindOf(outcome.outcome)
  row.ends[kind] += 1
  if (outcome.revises !== undefined) {
    row.ends[kindOf(outcome.revises.outcome)] -= 1
    return
  }
  row.requestBytes += whole(outcome.requestBytes)
  row.resultBytes += whole(outcome.resultBytes)
  row.milliUnits += price
  if (typeof outcome.durationMs === 'number') row.latency[bucketOf(outcome.durationMs)]! += 1
}

function bucketOf(ms: number): number {
  const at = latencyBounds.findIndex(bound => ms <= bound)
  return at < 0 ? latencyBounds.length : at
}
