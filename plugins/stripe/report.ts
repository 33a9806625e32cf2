// Tells operators how billing stands: health, metrics and the log.
import type { PluginContext } from 'mcpgw/plugin'
import type { StripeConfig } from './config.ts'
import type { Line } from './line.ts'
import { waitingOf } from './room.ts'
import { type Standing, standings } from './standing.ts'
import type { Tally } from './store/outbox.ts'

export interface Trouble {
  /** Stripe cannot be reached, or does not take what it is sent, for now. */
  readonly stripe?: string | undefined
  readonly store?: string | undefined
  /** Events that Stripe took and found invalid, by meter. */
  readonly faults: ReadonlyMap<string, string>
}

export const backlogOf = ({ lines }: Tally): number => lines.waiting + lines.open + lines.refused

const WORDS: readonly (readonly [Standing, string])[] = [
  ['uncertain', 'may be billed or not: say which with `mcpgw stripe resolve`'],
  ['expired', 'are too old for Stripe and not billed'],
  ['refused', 'are refused by Stripe'],
  ['held', 'have no customer or no meter in the config'],
  ['credit', 'were billed with more than was used'],
]

/** What an operator has to know; empty where all is well. */
export function conditionsOf(state: Tally, config: Pick<StripeConfig, 'alarm' | 'dryRun'>, trouble: Trouble): string[] {
  const { alarm } = config
  const waiting = waitingOf(state)
  const conditions = WORDS.filter(([standing]) => state.lines[standing] > 0).map(
    ([standing, words]) => `${state.lines[standing]} lines ${words}`,
  )
  if (!config.dryRun && state.age > alarm.age)
    conditions.unshift(`usage waits to be billed for ${Math.floor(state.age / 3_600_000)} h${trouble.stripe ? `: ${trouble.stripe}` : ''}`)
  if (waiting >= alarm.lines)
    conditions.unshift(`the outbox is full (${waiting} lines are to be sent): no more usage is taken over, it stays with the meter plugin`)
  else if (waiting >= alarm.lines * 0.8) conditions.push(`the outbox fills up: ${waiting} of ${alarm.lines} lines`)
  for (const [event, why] of trouble.faults) conditions.push(`Stripe found events of ${event} invalid after it took them: ${why}`)
  return conditions
}

/** What the process that runs knows beside what is in the outbox. Times in ms since 1970. */
export interface Live {
  /** Of all that share the outbox, it is this one that bills. */
  readonly bills: boolean
  readonly failure?: { readonly at: number; readonly why: string } | undefined
  readonly trouble: Trouble
}

export interface Reporter {
  live(): Live
  tell(state: Tally, trouble: Trouble): void
  /** Another process bills. */
  follow(): void
  fail(why: string): void
  answered(kind: 'counted' | 'refused' | 'later', lines: readonly Line[]): void
}

export function createReporter({ config, clock, health, log, metrics, scrub }: PluginContext<StripeConfig>): Reporter {
  const lines = metrics.gauge('lines', 'Lines of the outbox that are not done with, by how they stand.', ['standing'])
  const age = metrics.gauge('backlog_age_seconds', 'How long the oldest usage that is to be sent has waited since its window ended.')
  const backlog = metrics.gauge('backlog_lines', 'Lines of the outbox that are to be sent.')
  const events = metrics.counter('events_total', 'Events by how Stripe answered.', ['answer'])
  const leads = metrics.gauge('leads', '1 where this process is the one that bills.')
  let last = ''
  let bills = false
  let trouble: Trouble = { faults: new Map() }
  let failure: Live['failure']

  function show(conditions: readonly string[], status: 'degraded' | 'failing'): void {
    const why = scrub(conditions.join('; '))
    health(why === '' ? undefined : { status, why })
    // Numbers change all the time; only what is new is worth a line.
    const kind = conditions.map(one => one.replaceAll(/\d+/g, '#')).join('; ')
    if (kind !== last) {
      if (why === '') log.info('billing is in order again')
      else log.warn('billing needs attention', { why })
    }
    last = kind
  }

  return {
    live: () => ({ bills, failure, trouble }),
    tell(state, found) {
      bills = true
      trouble = found
      if (found.stripe !== undefined) failure = { at: clock.now(), why: found.stripe }
      for (const one of standings) if (one !== 'billed' && one !== 'before') lines.set(state.lines[one], { standing: one })
      age.set(Math.round(state.age / 1000))
      backlog.set(backlogOf(state))
      leads.set(1)
      show(conditionsOf(state, config, found), 'degraded')
    },
    follow() {
      bills = false
      trouble = { faults: new Map() }
      leads.set(0)
      show([], 'degraded')
    },
    fail(why) {
      const store = `the outbox does not work: ${why}`
      bills = false
      trouble = { ...trouble, store }
      failure = { at: clock.now(), why: store }
      show([store], 'failing')
    },
    answered: (kind, tried) => events.inc({ answer: kind }, tried.length),
  }
}
