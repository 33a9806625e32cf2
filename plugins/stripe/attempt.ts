// The steps of an attempt, as values: what is written before something is sent, and after each kind of answer.
import type { Answer } from './billing.ts'
import { identify, type Line } from './line.ts'

type Next = Pick<Line, 'id' | 'sent' | 'attempt'>

const REFUSED_MS = 3_600_000

/** Of the difference between what is wanted and what is counted. Written before it is sent, so that after a kill the very same is sent. */
export function begin(line: Line, outbox: string, customer: string, now: number): Line {
  const attempt = {
    ...line.attempt,
    state: 'open',
    kind: 'event',
    customer,
    value: line.wanted - line.sent,
    unsure: now,
    tried: now,
  } as const
  return { ...line, attempt: { ...attempt, identifier: identify(outbox, line, customer) } }
}

/** Takes back the last event, where it was too much: what is right is sent as another one. */
export function beginCancel(line: Line, now: number): Line {
  const { lastIdentifier: identifier, lastValue: value } = line.attempt
  return { ...line, attempt: { ...line.attempt, state: 'open', kind: 'cancel', identifier, value, unsure: now, tried: now } }
}

export const repeat = (line: Line, now: number): Line => ({ ...line, attempt: { ...line.attempt, tried: now } })

/** `isFirst`: nothing was known to be unsure before this try, so that a sure no leaves nothing open. */
export function conclude(line: Line, answer: Answer, isFirst: boolean, now: number): Next {
  const { id, sent, attempt } = line
  if (answer.kind === 'counted') return count(line, now)
  const isSure = answer.kind === 'refused' || answer.isSure
  const error = answer.why
  // A cancellation that is refused stays a credit; an event may do once Stripe knows the customer.
  const next = answer.kind === 'refused' ? now + REFUSED_MS : 0
  if (isSure && isFirst) return { id, sent, attempt: { ...giveUp(line).attempt, error, next } }
  return { id, sent, attempt: { ...attempt, error, next } }
}

/** It is counted: so says Stripe, its sum, or an operator. */
export function count({ id, sent, attempt }: Line, now: number): Next {
  const done = { ...attempt, state: 'idle', unsure: null, error: '', next: 0 } as const
  if (attempt.kind === 'cancel') {
    return { id, sent: sent - attempt.value, attempt: { ...done, kind: 'event', lastIdentifier: '', lastValue: 0, lastAt: 0 } }
  }
  const last = { lastIdentifier: attempt.identifier, lastValue: attempt.value, lastAt: now }
  return { id, sent: sent + attempt.value, attempt: { ...done, ...last, revision: attempt.revision + 1 } }
}

/** It is not counted: the difference can be sent again. */
export function giveUp({ id, sent, attempt }: Line): Next {
  return { id, sent, attempt: { ...attempt, state: 'idle', unsure: null, error: '', next: 0 } }
}

/** An operator has to say. */
export function leave({ id, sent, attempt }: Line, why: string): Next {
  return { id, sent, attempt: { ...attempt, state: 'uncertain', error: why } }
}

/** Stripe took an event and found it invalid afterwards. */
export function disown({ id, sent, attempt }: Line, why: string): Next {
  const { lastIdentifier: identifier, lastValue: value } = attempt
  const none = { lastIdentifier: '', lastValue: 0, lastAt: 0 }
  return { id, sent: sent - value, attempt: { ...attempt, ...none, state: 'uncertain', kind: 'event', identifier, value, error: why } }
}
