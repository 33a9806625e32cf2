// The decision about each request: pinned, then arguments that fit, then the rules; once more at the seal where others came in between.
import {
  allow,
  type Deny,
  deny,
  type Exchange,
  type Governed,
  type Hooks,
  type ListItem,
  nameOf,
  narrow,
  type Outcome,
  type PluginContext,
  pass,
  type RequestVerdict,
} from 'mcpgw/plugin'
import type { Facts, PolicyDecision } from 'mcpgw/policy'
import { validateArguments } from './arguments/validate.ts'
import type { Bundle } from './bundle.ts'
import { nameOf as holderOf } from './catalog/holder.ts'
import type { Pins } from './catalog/pins.ts'
import type { PolicyConfig } from './config.ts'
import { factsOf, knownValue, subjectOf } from './facts.ts'
import type { Added, Keeper, Past } from './history.ts'
import { isHeld, itemOf } from './items.ts'
import type { Recorder } from './record.ts'
import { sessionOf } from './session-calls.ts'

/** All of it changes at once. */
export interface InForce {
  readonly bundle: Bundle
  readonly pins: Pins | undefined
  /** Digest of the lock. */
  readonly catalog: string | undefined
  /** Where some rule asks `after`. */
  readonly keeper: Keeper | undefined
}

/** What the seal has to know of a decision that looked at what was done before. */
interface Decided {
  readonly bundle: Bundle
  readonly done: { readonly keeper: Keeper; readonly past: Past } | undefined
  readonly facts: Facts
  readonly decision: PolicyDecision
  /** As they were looked at; `calls` where some rule asks for it. */
  readonly version: number
  readonly calls: bigint | undefined
  added?: Added
}

const GENERIC = 'no policy allows this'
const LARGE = 'the arguments are larger than what policies look at'
const NOT_KEPT = 'what rules ask for later cannot be stored'
const CHANGED = 'what was decided upon has changed meanwhile'
/** What rules can ask `after`: a request about a task or a completion is none of its own. */
const COUNTED: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])

export function createEnforcement(
  { config, clock, log }: Pick<PluginContext<PolicyConfig>, 'config' | 'clock' | 'log'>,
  current: () => InForce,
  recorder: Recorder,
): Required<Pick<Hooks, 'onRequest' | 'onSealed' | 'onList' | 'onSettled'>> {
  const observes = config.mode === 'observe'
  const pinned = config.catalog === 'pinned'
  const decided = new WeakMap<Exchange, Decided>()

  /** In observe mode nothing is refused; what would have been is told. */
  function refuse(x: Exchange, { bundle, catalog }: InForce, code: string, reason: string, rule: string): RequestVerdict {
    recorder.refused(x, bundle, catalog, rule)
    if (!observes) return deny(code, reason, { rules: [rule] })
    log.info('would be refused', { callId: x.id, reason: rule })
    return allow(['observe'])
  }

  function onRequest(x: Exchange): RequestVerdict {
    const { resource } = x
    if (resource.kind === 'plumbing' || resource.kind === 'list') return pass
    // A list, of the caller's own tasks.
    if (x.action === 'tasks/list') return allow(['own-tasks'])
    const force = current()
    if (pinned && !isHeld(force.pins, resource)) return refuse(x, force, 'denied', 'not as the catalog lock has it', 'not-pinned')
    if (x.action === 'tools/call' && resource.kind === 'call' && resource.definition !== undefined) {
      const misfit = validateArguments(resource.definition, x.args)
      if (misfit !== undefined)
        return refuse(x, force, misfit.about === 'schema' ? 'denied' : 'invalid-arguments', misfit.message, `bad-${misfit.about}`)
    }
    return decide(x, resource, force)
  }

  function decide(x: Exchange, resource: Governed, force: InForce): RequestVerdict {
    const { bundle, pins, catalog, keeper } = force
    const began = clock.mono()
    const past = x.principal && keeper?.of(x.principal)
    const session = sessionOf(x)
    const facts = factsOf(x, resource, {
      history: past,
      session,
      annotationsOf: ({ server, version, tool, definition }) =>
        knownValue(pins?.annotationsOf(holderOf(server, version), tool, definition)),
    })
    const version = past?.version ?? 0
    const calls = bundle.asksSession ? session?.calls : undefined
    const decision = bundle.evaluator.decide(facts)
    if (facts.isTooLarge) return refuse(x, force, 'too-large', LARGE, 'too-large')
    recorder.decided(x, bundle, catalog, decision, Math.round((clock.mono() - began) * 1000))
    const done = past === undefined || keeper === undefined ? undefined : { keeper, past }
    if (done !== undefined || bundle.asksSession) decided.set(x, { bundle, done, facts, decision, version, calls })
    const by = decision.by === 'default' ? ['default'] : decision.by
    if (decision.outcome === 'allow') {
      // What limits a call has counted it when it was made.
      const { obligations } = decision
      const due = resource.kind === 'call' && resource.task !== undefined ? obligations.filter(one => one.name !== 'limit') : obligations
      return observes ? allow(by) : allow(by, due)
    }
    if (!observes) return deny('denied', decision.because ?? GENERIC, { rules: by })
    log.info('would be denied', { callId: x.id, rules: by })
    return allow(['observe'])
  }

  /** Where something was done since it was looked at. */
  function decideAgain({ bundle, done, facts, decision, version, calls }: Decided): Deny | undefined {
    if ((done?.past.version ?? 0) === version && (calls === undefined || facts.session?.calls === calls)) return undefined
    const again = bundle.evaluator.decide(facts)
    const by = again.by === 'default' ? ['default'] : again.by
    if (again.outcome === 'deny') return deny('denied', again.because ?? GENERIC, { rules: by })
    const isSame = JSON.stringify(again.obligations) === JSON.stringify(decision.obligations)
    return isSame ? undefined : deny('denied', CHANGED, { rules: by })
  }

  return {
    onRequest,

    // Invariant: looking again and adding what is sealed happen in one step, so that of two at once the second finds the first.
    onSealed(x) {
      const known = decided.get(x)
      const refusal = known === undefined || observes ? undefined : decideAgain(known)
      if (refusal !== undefined) return refusal
      if (x.action === 'tools/call') sessionOf(x)?.count()
      if (known?.done === undefined) return pass
      const { resource } = x
      if (!COUNTED.has(x.action) || (resource.kind !== 'call' && resource.kind !== 'read' && resource.kind !== 'prompt')) return pass
      const { keeper, past } = known.done
      const one = keeper.add(past, resource.kind, resource.server, nameOf(resource))
      if (one === undefined) return pass
      known.added = one.added
      return one.kept.then(isKept => (isKept || observes ? pass : deny('not-recorded', NOT_KEPT, { rules: ['history'] })))
    },

    onSettled(x: Exchange, outcome: Outcome) {
      const known = decided.get(x)
      if (known?.added !== undefined && outcome.kind === 'denied') known.done?.keeper.takeBack(known.done.past, known.added)
    },

    onList(x: Exchange, items: readonly ListItem[]) {
      if (observes) return pass
      const { bundle, pins } = current()
      const subject = subjectOf(x.principal)
      const kind = itemOf(x.resource)
      if (kind === undefined) return pass
      const now = new Date(clock.now())
      return narrow(
        items.map(({ server, version, name, definition }) => {
          const holder = holderOf(server, version)
          if (pinned && pins?.isPinned(kind.pin, holder, name, definition) !== true) return false
          const template = kind.pin === 'template'
          const annotations = kind.action === 'call' ? knownValue(pins?.annotationsOf(holder, name, definition)) : undefined
          return bundle.evaluator.narrow(subject, { action: kind.action, server, name, annotations, template }, now) === 'show'
        }),
      )
    },
  }
}
