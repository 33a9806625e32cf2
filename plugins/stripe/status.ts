// How billing stands: what the outbox says, and what the process that bills knows beside. For the command and the operation alike.
import type { StripeConfig } from './config.ts'
import { differencesOf, readLedger } from './ledger.ts'
import { backlogOf, conditionsOf, type Live } from './report.ts'
import { type Standing, standings, type Terms } from './standing.ts'
import type { Latest, OutboxReader, Tally } from './store/outbox.ts'

export type StatusConfig = Pick<StripeConfig, 'meters' | 'customers' | 'alarm' | 'dryRun'>

/** Data only: it may come from another process. */
export interface StatusFacts {
  readonly outbox: string
  readonly since: number
  readonly tally: Tally
  readonly latest: Latest
  readonly ledger: { readonly from: number; readonly to: number; readonly differences: readonly string[] }
}

export interface Status {
  /** null: nothing has been billed yet. */
  readonly outbox: string | null
  readonly dryRun: boolean
  readonly since: string | null
  readonly backlogLines: number
  readonly backlogSeconds: number
  readonly lastSuccess: string | null
  readonly lastFailure: { readonly at: string | null; readonly why: string } | null
  /** By how they stand: those that are held, too old, refused and so on. `due`: what is used and not billed. */
  readonly lines: Readonly<Partial<Record<Standing, { readonly lines: number; readonly due: number }>>>
  /** What `stripe reconcile --offline` says of yesterday and today, in UTC. */
  readonly ledger: { readonly from: string; readonly to: string; readonly agrees: boolean; readonly differences: readonly string[] } | null
  readonly conditions: readonly string[]
}

const DAY_MS = 24 * 3_600_000
/** What is tried has a window that is not older: Stripe takes none. */
const TRIED_MS = 40 * DAY_MS
const MOST_DIFFERENCES = 50

export async function readStatus(
  reader: OutboxReader,
  terms: Terms & { readonly config: StatusConfig },
  outbox: string,
  signal: AbortSignal,
): Promise<StatusFacts> {
  const { since, now } = terms
  const today = Math.floor(now / DAY_MS) * DAY_MS
  const span = { from: today - DAY_MS, to: today + DAY_MS }
  return {
    outbox,
    since,
    tally: await reader.tally(terms, signal, true),
    latest: await reader.latest(now - TRIED_MS),
    ledger: { ...span, differences: differencesOf((await readLedger(reader, span, terms)).rows, true) },
  }
}

/** `facts`: undefined where there is no outbox yet. `live`: what a gateway knows that runs; without it there is nothing of it. */
export function describeStatus(facts: StatusFacts | undefined, config: StatusConfig, live: Live): Status {
  const { dryRun } = config
  if (facts === undefined)
    return {
      outbox: null,
      dryRun,
      since: null,
      backlogLines: 0,
      backlogSeconds: 0,
      lastSuccess: null,
      lastFailure: describeFailure(live.failure),
      lines: {},
      ledger: null,
      conditions: live.trouble.store === undefined ? [] : [live.trouble.store],
    }
  const { outbox, since, tally, latest, ledger } = facts
  const failures = [latest.failure, live.failure].filter(one => one !== undefined)
  const { from, to, differences } = ledger
  return {
    outbox,
    dryRun,
    since: since === 0 ? null : iso(since),
    backlogLines: backlogOf(tally),
    backlogSeconds: Math.round(tally.age / 1000),
    lastSuccess: latest.success === undefined ? null : iso(latest.success),
    lastFailure: describeFailure(failures.toSorted((a, b) => b.at - a.at)[0]),
    lines: Object.fromEntries(
      standings.filter(one => one !== 'billed').map(one => [one, { lines: tally.lines[one], due: tally.due[one] }]),
    ),
    ledger: { from: iso(from), to: iso(to), agrees: differences.length === 0, differences: differences.slice(0, MOST_DIFFERENCES) },
    conditions: [...conditionsOf(tally, config, live.trouble), ...(live.trouble.store === undefined ? [] : [live.trouble.store])],
  }
}

const iso = (at: number): string => new Date(at).toISOString()
/** Where there is no meter nothing is tried, and there is no time. */
const describeFailure = (failure: Live['failure']): Status['lastFailure'] =>
  failure === undefined ? null : { at: failure.at === 0 ? null : iso(failure.at), why: failure.why }
