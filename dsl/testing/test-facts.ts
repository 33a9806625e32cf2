// What a test of a policy file says, as the facts that are decided on.
import type { Test } from '../ast.ts'
import { createHistory, type PastEvent } from '../calls/history.ts'
import { annotationsOf, isError, readArguments, readPrincipal, readTime } from '../calls/read-call.ts'
import { normaliseUri } from '../evaluator/uri.ts'
import type { Facts } from '../facts.ts'
import type { Lock } from '../lock/lock.ts'
import type { Span } from '../span.ts'

export interface TestFacts {
  readonly facts: Facts
  readonly events: readonly PastEvent[]
}
export interface TestMistake {
  readonly wrong: string
  readonly span: Span
}

/** Without `given` nothing has happened; without `at` it is `now`. */
export function factsOfTest(test: Test, now: Date, lock: Lock | undefined): TestFacts | TestMistake {
  const principal = readPrincipal(test.as.value)
  if (isError(principal)) return { wrong: principal.error, span: test.as.span }
  const time = test.at === undefined ? now : readTime(test.at.value)
  if (time === undefined) return { wrong: `expected a time like "2026-11-21T10:00:00Z", found \`${test.at?.value}\``, span: test.at!.span }
  if (test.target.kind === 'reference') return { wrong: 'expected one target, found a set', span: test.target.span }
  const { server } = test.target
  const name = test.action === 'read' ? normaliseUri(test.target.name) : test.target.name
  const args = readArguments(test.args?.value, test.action, server, name, lock)
  if (isError(args)) return { wrong: args.error, span: test.args!.span }
  const annotations = annotationsOf(test.action, server, name, lock)
  const events = test.given.flatMap(({ event, ago }): PastEvent[] => {
    const { action, target } = event
    if (target.kind === 'reference') return []
    return [
      { action, server: target.server, name: action === 'read' ? normaliseUri(target.name) : target.name, at: time.getTime() - ago.ms },
    ]
  })
  const facts: Facts = {
    principal,
    action: test.action,
    server,
    name,
    ...(args !== undefined && { args }),
    ...(annotations !== undefined && { annotations }),
    request: { time, ...(test.from !== undefined && { ip: test.from.value }) },
    history: createHistory(events, time),
  }
  return { facts, events }
}
