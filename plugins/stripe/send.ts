// Sends what is due: for each customer and meter one request at a time, each attempt written down before and after.
import { begin, beginCancel, conclude, repeat } from './attempt.ts'
import type { Answer, Billing, Meters } from './billing.ts'
import { type Line, timestampOf } from './line.ts'
import { customerOf, type Terms } from './standing.ts'
import type { OutboxWriter } from './store/outbox.ts'

const LANES = 4

export interface Sending {
  readonly outbox: string
  readonly billing: Billing
  readonly meters: Meters
  readonly writer: OutboxWriter
  readonly terms: () => Terms
  readonly signal: AbortSignal
  /** Each answer, with the events that it is about. */
  readonly onAnswer: (answer: Answer, lines: readonly Line[]) => void
}

/** Stops at the first answer that says later. Rejects where the outbox cannot be written. */
export async function send(due: readonly Line[], sending: Sending): Promise<void> {
  let isHalted = false
  const queues = queue(due, sending)
  const work = async (): Promise<void> => {
    for (let batch = queues.shift(); batch !== undefined && !isHalted && !sending.signal.aborted; batch = queues.shift()) {
      for (const part of batch) {
        if (isHalted || sending.signal.aborted) return
        if ((await deliver(part, sending)).kind === 'later') isHalted = true
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: LANES }, work))
  const failed = ends.find(end => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/**
 * Parts of one list go out one after the other, lists side by side. v1: a list for each customer and meter. v2: one list of full requests,
 * each customer and meter at most once in a request.
 */
function queue(due: readonly Line[], { billing, terms }: Sending): (readonly Line[])[][] {
  const { config } = terms()
  const byPlace = new Map<string, Line[]>()
  for (const line of due) {
    const place = JSON.stringify([line.event, line.attempt.state === 'open' ? line.attempt.customer : customerOf(line, config)])
    const lines = byPlace.get(place)
    if (lines === undefined) byPlace.set(place, [line])
    else lines.push(line)
  }
  if (billing.batch === 1) return [...byPlace.values()].map(lines => lines.map(line => [line]))
  const alone = due.filter(isCancelled).map(line => [line])
  const rounds: Line[][] = []
  for (const lines of byPlace.values()) {
    for (const [round, line] of lines.filter(one => !isCancelled(one)).entries()) {
      rounds[round] ??= []
      rounds[round].push(line)
    }
  }
  return [[...rounds.flatMap(lines => split(lines, billing.batch)), ...alone]]
}

function split(lines: readonly Line[], size: number): Line[][] {
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, part) => lines.slice(part * size, (part + 1) * size))
}

const isCancelled = ({ attempt, wanted, sent }: Line): boolean => (attempt.state === 'open' ? attempt.kind === 'cancel' : wanted < sent)

async function deliver(lines: readonly Line[], sending: Sending): Promise<Answer> {
  const { now, config } = sending.terms()
  const tries = lines.map(line => (line.attempt.state === 'open' ? repeat(line, now) : open(line, sending.outbox, config, now)))
  await sending.writer.commit({ attempts: tries })
  const answer = await ask(tries, sending)
  // One of them is at fault: each says for itself which.
  if (answer.kind === 'refused' && lines.length > 1) {
    let last: Answer = answer
    for (const line of lines) {
      last = await deliver([line], sending)
      if (last.kind === 'later') break
    }
    return last
  }
  const then = sending.terms().now
  const ends = tries.map((line, at) => conclude(line, answer, lines[at]!.attempt.unsure === null, then))
  await sending.writer.commit({ attempts: ends })
  sending.onAnswer(answer, tries)
  return answer
}

function open(line: Line, outbox: string, config: Terms['config'], now: number): Line {
  return isCancelled(line) ? beginCancel(line, now) : begin(line, outbox, customerOf(line, config)!, now)
}

function ask(lines: readonly Line[], { billing, meters }: Sending): Promise<Answer> {
  const [{ event, attempt: first }] = lines as [Line]
  if (first.kind === 'cancel') return billing.cancel(event, first.identifier)
  const events = lines.map(line => {
    const { customer, identifier, value } = line.attempt
    return { event: line.event, customer, identifier, value, timestamp: timestampOf(line) }
  })
  return billing.send(events, meters)
}
