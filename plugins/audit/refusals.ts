// Refusals of nobody in particular: those before there is an exchange, and those of callers who have not proven who they are.
import type { Awaitable, Clock, Exchange, Hooks, Outcome, Refused } from 'mcpgw/plugin'
import type { Entry } from './entry.ts'
import { member, quote, serialise } from './json-text.ts'
import type { Ledger } from './ledger.ts'
import { createRepeats, type Repeated } from './repeats.ts'
import type { StoredText } from './stored-text.ts'

export interface RefusalsOptions {
  readonly clock: Clock
  readonly ledger: Pick<Ledger, 'append'>
  readonly text: StoredText
  /** A record of somebody at this address who has not said who he is. */
  entry(type: string, members: string, ip: string | undefined): Entry
  hasIntent(x: Exchange): boolean
  /** Records the end of an exchange, whatever it was. */
  settled(x: Exchange, outcome: Outcome): Awaitable<void>
}

export interface Refusals {
  readonly hooks: Required<Pick<Hooks, 'onRefused' | 'onSettled'>>
  /** At the stop. Resolves to how many refusals could not be recorded. */
  flush(): Promise<number>
}

/** Nothing but the address tells such refusals apart; of others it matters what was asked for. */
const ANONYMOUS: ReadonlySet<string> = new Set([
  'unauthenticated',
  'bad-credential',
  'many-credentials',
  'bad-signature',
  'too-many-failures',
  'rate-limited',
])
/** A handshake or stream that fails with one of these was refused. */
const REFUSING: ReadonlySet<string> = new Set(['too-many-sessions', 'too-large', 'rate-limited', 'invalid-request'])

export function recordRefusals({ clock, ledger, text, entry, settled, hasIntent }: RefusalsOptions): Refusals {
  const write = async (type: string, members: string, ip: string | undefined): Promise<boolean> =>
    (await ledger.append([entry(type, members, ip)], 'offer')) === undefined

  const repeats = createRepeats<Refused>({
    clock,
    one: refused => write('refusal', describe(refused), refused.ip),
    many: (refused, { count, firstAt, lastAt }: Repeated) =>
      write(
        'refusal.repeated',
        `,"count":${count},"firstAt":${firstAt},"lastAt":${lastAt}${refused === undefined ? '' : describe(refused)}`,
        refused?.ip,
      ),
  })

  function describe({ code, reason, by, transport, status, method, path, action }: Refused): string {
    const decision = `{"outcome":"deny","rules":${serialise(by)},"code":${quote(code)},"reason":${text.name(reason)}}`
    const request =
      (method === undefined ? '' : `,"method":${text.name(method)}`) +
      (path === undefined ? '' : `,"path":${text.name(path)}`) +
      (status === undefined ? '' : `,"status":${status}`)
    return (
      member('transport', transport) +
      (action === undefined ? '' : `,"action":${text.name(action)}`) +
      (request === '' ? '' : `,"http":{${request.slice(1)}}`) +
      `,"decision":${decision}`
    )
  }

  function onSettled(x: Exchange, given: Outcome): Awaitable<void> {
    const outcome = asRefusal(x, given)
    const isAlone = outcome.kind !== 'denied' || x.principal !== undefined || x.peer.transport !== 'http' || x.direction === 'to-client'
    if (isAlone || hasIntent(x)) return settled(x, outcome)
    const { code = 'denied', reason = '', by } = outcome.decision
    const { transport, ip } = x.peer
    const about = ANONYMOUS.has(code) ? [] : [x.action, ...Object.values(x.resource).filter(one => typeof one === 'string')]
    const sample: Refused = { code, reason, by, transport, ip, ...(about.length > 0 && { action: x.action.slice(0, LONGEST) }) }
    return repeats.isFirst(keyOf(sample, about), sample) ? settled(x, outcome) : undefined
  }

  return {
    hooks: { onSettled, onRefused: refused => repeats.take(keyOf(refused), refused) },
    flush: () => repeats.flush(),
  }
}

const LONGEST = 200

function keyOf({ transport, ip = '', code }: Refused, about: readonly string[] = []): string {
  return [transport, ip, code, ...about].join('\0')
}

/** What the gateway refuses while it carries it out, as what it is. */
function asRefusal(x: Exchange, outcome: Outcome): Outcome {
  if (outcome.kind !== 'failed' || !REFUSING.has(outcome.code)) return outcome
  if (x.resource.kind !== 'plumbing' && x.resource.kind !== 'list') return outcome
  const { message } = (outcome.answer?.payload.value ?? {}) as { readonly message?: unknown }
  const reason = typeof message === 'string' ? message : outcome.code
  return { kind: 'denied', decision: { outcome: 'deny', by: ['default'], obligations: [], code: outcome.code, reason } }
}
