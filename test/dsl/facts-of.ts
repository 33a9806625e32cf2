// Facts of a call with everything that a test does not care about filled in.
import type { Facts, History, Subject } from '../../dsl/facts.ts'
import type { Value } from '../../dsl/value.ts'

export const noon: Date = new Date('2026-11-21T12:00:00Z')

export function subjectOf(subject: Partial<Subject> = {}): Subject {
  return { id: 'a1', roles: ['support'], tenant: 'acme', claims: new Map(), ...subject }
}

/** `call crm/get_customer`. */
export function factsOf(
  written: string,
  more: Partial<Omit<Facts, 'args'>> & { readonly args?: Readonly<Record<string, Value>> } = {},
): Facts {
  const [action, target] = written.split(' ', 2) as [Facts['action'], string]
  const slash = target.indexOf('/')
  const { args, ...others } = more
  const takesArgs = action === 'call' || action === 'prompt'
  return {
    principal: subjectOf(),
    action,
    server: target.slice(0, slash),
    name: target.slice(slash + 1),
    ...(takesArgs && { args: new Map(Object.entries(args ?? {})) }),
    request: { time: noon },
    ...others,
  }
}

export function historyOf(...events: readonly (readonly [action: string, server: string, name: string, at: number])[]): History {
  return {
    lastMatch(matcher, since) {
      const times = events.filter(([action, server, name, at]) => action === matcher.action && at >= since && matcher.matches(server, name))
      return times.length === 0 ? undefined : Math.max(...times.map(([, , , at]) => at))
    },
  }
}
