// From arrival to the seal: onRequest in config order, the decision, its obligations, onSealed. Nothing is sent before this says so.
import { chain, isPromise, walk } from '../awaitable.ts'
import { callOf, type ExchangeState, type LiveExchange, stateOf } from '../exchange.ts'
import { freezeCopy, freezeDeep } from '../freeze.ts'
import { describeError, HookFailure } from '../guard.ts'
import { discharge, findDuties, sortObligations } from '../obligations.ts'
import type { Answer, Awaitable, Decision, Resource } from '../plugin/index.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { type Driver, garbage, nameRules, refuseDeny, refuseExchange, refuseFailure, undeclared } from './driver.ts'
import { rewriteParams, toAnswer } from './rewrites.ts'
import type { LoadedPlugin, Step } from './stack.ts'
import { readVerdict } from './verdicts.ts'

export type Admission =
  | { readonly kind: 'sealed' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Nothing of that name, or not for this caller; `resource` is what was asked for, for the record. */
export type Unresolved = Refusal & { readonly resource?: Resource }

/** Looks up what the exchange is about, once the caller is known. */
export type Resolve = () => Awaitable<Resource | Unresolved>

interface Flight {
  readonly state: ExchangeState
  readonly resolve: Resolve | undefined
}
type Visit = (flight: Flight) => Awaitable<Refusal | undefined>

const SEALED: Admission = Object.freeze({ kind: 'sealed' })
const OPEN: Decision = freezeDeep({ outcome: 'allow', by: ['open'], obligations: [] })
const UNDECIDED: Decision = freezeDeep({ outcome: 'allow', by: ['no-decision-needed'], obligations: [] })

export function createAdmit(driver: Driver): (x: LiveExchange, resolve?: Resolve) => Awaitable<Admission> {
  const { stack } = driver
  const visits = planVisits(driver)
  const finish = createFinish(driver)

  return (x, resolve) => {
    const flight = { state: stateOf(x), resolve }
    const refused = walk(visits, visit => visit(flight))
    return chain(refused, refusal => {
      if (refusal !== undefined) return refuseExchange(x, refusal)
      flight.state.entered = stack.plugins.length
      return chain(finish(flight.state), late => {
        if (late !== undefined) return refuseExchange(x, late)
        const { answer } = flight.state
        return answer === undefined ? SEALED : { kind: 'answered', answer }
      })
    })
  }
}

/** The hooks in config order, and between them the points at which the kernel looks for itself. */
function planVisits(driver: Driver): readonly Visit[] {
  const { stack } = driver
  const visits: Visit[] = []
  const known = (flight: Flight) => checkIdentity(driver, flight)
  if (stack.lastAuthenticator < 0) visits.push(known)
  let sealed = !stack.open
  for (const [index, plugin] of stack.plugins.entries()) {
    // Without a decider nothing seals by allowing: the first masker must find the params final.
    if (!sealed && plugin.capabilities.has('masks') && !plugin.capabilities.has('rewrites-request')) {
      visits.push(({ state }) => {
        state.phase = 'decided'
        return undefined
      })
      sealed = true
    }
    const step = stack.request.find(one => one.index === index)
    if (step !== undefined) visits.push(flight => visitPlugin(driver, step, flight.state))
    if (index === stack.lastAuthenticator) visits.push(known)
  }
  return visits
}

function checkIdentity({ stack, log, kills }: Driver, { state, resolve }: Flight): Awaitable<Refusal | undefined> {
  const { init, x } = state
  state.entered = Math.max(state.entered, stack.lastAuthenticator + 1)
  if (stack.lastAuthenticator >= 0 && init.direction === 'to-server' && state.principal === undefined)
    return refuse('unauthenticated', ['default'])
  // Invariant: asked anew for each request, before a name is looked up for it and before any plugin could answer it.
  const killed = kills.now.refuseCaller(state.principal)
  if (killed !== undefined) return killed
  // Invariant: a rate that nothing holds anybody to is no leave to come without end.
  if (state.principal?.rate !== undefined && !stack.dischargers.has('rate')) {
    log.error('no plugin discharges "rate", which the credential of this caller has', { ...callOf(x), keyId: state.principal.via.keyId })
    return refuse('unmet-obligation', ['default'])
  }
  if (resolve === undefined) return undefined
  const failed = (error: unknown): Refusal => {
    log.error('bug: a name could not be looked up', { ...callOf(x), detail: describeError(error) })
    return refuse('internal', ['default'])
  }
  const take = (found: Resource | Unresolved): Refusal | undefined => {
    const about = 'code' in found ? found.resource : found
    if (about !== undefined) state.resource = Object.freeze(about)
    // Neither the caller nor the record of his tenant learns what the client of somebody else calls itself.
    if ('code' in found && found.code === 'session-unknown') state.client = undefined
    // Of a server that is killed nobody knows what it has.
    const shut = about !== undefined && 'server' in about ? kills.now.refuseServer({ id: about.server, version: about.version }) : undefined
    return shut ?? ('code' in found ? found : undefined)
  }
  try {
    const found = resolve()
    return isPromise(found) ? found.then(take, failed) : take(found)
  } catch (error) {
    return failed(error)
  }
}

function visitPlugin(driver: Driver, step: Step<'onRequest'>, state: ExchangeState): Awaitable<Refusal | undefined> {
  state.entered = step.index + 1
  return chain(driver.guard.call(step.site, step.run, state.x, undefined), result => {
    const fault = takeVerdict(driver, step, state, result)
    return fault instanceof HookFailure ? refuseFailure(driver, state.x, fault, step) : fault
  })
}

const REQUEST_KINDS = ['pass', 'identify', 'allow', 'deny', 'rewrite', 'answer'] as const

function takeVerdict(driver: Driver, { site, plugin }: Step, state: ExchangeState, result: unknown): Refusal | HookFailure | undefined {
  if (result instanceof HookFailure) return result
  const verdict = readVerdict(result, REQUEST_KINDS)
  if (verdict === undefined) return garbage(site, result)
  const can = plugin.capabilities
  switch (verdict.kind) {
    case 'pass':
      return undefined
    case 'deny':
      return refuseDeny(driver, state.x, verdict, plugin.name)
    case 'identify': {
      if (!can.has('authenticates')) return undeclared(site, 'identifies without "authenticates"')
      if (state.principal !== undefined) return undeclared(site, 'identifies a caller who is already identified')
      if (state.init.direction === 'to-client') return undeclared(site, 'identifies in an exchange to the client')
      if (state.phase !== 'received') return undeclared(site, 'identifies after the decision')
      state.principal = freezeDeep(verdict.principal)
      state.phase = 'identified'
      return undefined
    }
    case 'allow':
      if (!can.has('decides')) return undeclared(site, 'allows without "decides"')
      return allow(state, plugin, verdict)
    case 'rewrite': {
      const why = rewriteParams(state, plugin, verdict.value)
      return why === undefined ? undefined : undeclared(site, why)
    }
    case 'answer': {
      if (!can.has('answers')) return undeclared(site, 'answers without "answers"')
      if (needsAllow(state)) return undeclared(site, 'answers what nobody has allowed')
      const answer = toAnswer(verdict)
      if (answer === undefined) return garbage(site, verdict)
      state.answer ??= answer
      return undefined
    }
  }
}

/** The first allow fixes params, principal and resource; a further one adds its obligations. */
function allow(
  state: ExchangeState,
  plugin: LoadedPlugin,
  verdict: { rules: readonly string[]; obligations: ExchangeState['obligations'] },
): undefined {
  state.phase = 'decided'
  state.by = Object.freeze([...(state.by ?? []), ...nameRules(plugin.name, verdict.rules)])
  if (verdict.obligations.length > 0)
    state.obligations = Object.freeze(sortObligations([...state.obligations, ...verdict.obligations.map(freezeCopy)]))
  state.decision = Object.freeze({ outcome: 'allow', by: state.by, obligations: state.obligations })
}

/** True where a decider is loaded, what is asked needs a decision, and none has allowed it. */
function needsAllow({ open, by, resource }: ExchangeState): boolean {
  return !open && by === undefined && resource.kind !== 'list' && resource.kind !== 'plumbing'
}

/** The decision, its obligations, and the seal. */
function createFinish(driver: Driver): (state: ExchangeState) => Awaitable<Refusal | undefined> {
  const { stack, guard } = driver

  const visitSealed = (state: ExchangeState, step: Step<'onSealed'>): Awaitable<Refusal | undefined> =>
    chain(guard.call(step.site, step.run, state.x, undefined), result => {
      if (result instanceof HookFailure) return refuseFailure(driver, state.x, result, step)
      const verdict = readVerdict(result, ['pass', 'deny'])
      if (verdict === undefined) return refuseFailure(driver, state.x, garbage(step.site, result), step)
      return verdict.kind === 'deny' ? refuseDeny(driver, state.x, verdict, step.plugin.name) : undefined
    })

  const seal = (state: ExchangeState): Awaitable<Refusal | undefined> => {
    state.phase = 'sealed'
    return stack.sealed.length === 0 ? undefined : walk(stack.sealed, step => visitSealed(state, step))
  }

  return state => {
    if (needsAllow(state)) return refuse('denied', ['default'])
    state.phase = 'decided'
    state.decision ??= state.open ? OPEN : UNDECIDED
    if (state.obligations.length === 0) return seal(state)
    return chain(dischargeRequest(driver, state), unmet => unmet ?? seal(state))
  }
}

function dischargeRequest(driver: Driver, state: ExchangeState): Awaitable<Refusal | undefined> {
  const { x } = state
  return walk(findDuties(driver.stack, state.obligations), ({ obligation, step }) => {
    if (step === undefined) {
      driver.log.error('no plugin discharges an obligation', { obligation: obligation.name, ...callOf(x) })
      return refuse('unmet-obligation', ['default'])
    }
    return chain(discharge(driver.guard, step, obligation, { at: 'request', exchange: x }), result => {
      if (result instanceof HookFailure) return refuseFailure(driver, x, result, step)
      const verdict = readVerdict(result, ['pass', 'deny', 'rewrite'])
      if (verdict === undefined) return refuseFailure(driver, x, garbage(step.site, result), step)
      if (verdict.kind === 'deny') return refuseDeny(driver, x, verdict, step.plugin.name)
      const why = verdict.kind === 'rewrite' ? rewriteParams(state, step.plugin, verdict.value) : undefined
      return why === undefined ? undefined : refuseFailure(driver, x, undeclared(step.site, why), step)
    })
  })
}
