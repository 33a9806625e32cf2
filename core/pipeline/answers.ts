// The way back: notifications and the answer pass the obligations, then the hooks in reverse order. What cannot be cleared is withheld.
import { chain, walk } from '../awaitable.ts'
import { type ErrorCode, errors } from '../errors.ts'
import { type LiveExchange, stateOf } from '../exchange.ts'
import { HookFailure } from '../guard.ts'
import { Json } from '../mcp/json.ts'
import { isModernVersion } from '../mcp/modern.ts'
import { discharge, findDuties } from '../obligations.ts'
import type { Answer, Awaitable, JsonValue, Notification } from '../plugin/index.ts'
import { refusalError } from '../refusal.ts'
import { type Driver, garbage, isForgiven, refuseDeny, undeclared } from './driver.ts'
import { isErrorObject, rewriteAnswer, toAnswer } from './rewrites.ts'
import type { Step } from './stack.ts'
import { readVerdict } from './verdicts.ts'

/** The answer as it may be shown; an error with the code `withheld` where a plugin denied or failed. */
export function createRespond(driver: Driver): (x: LiveExchange, answer: Answer) => Awaitable<Answer> {
  const { stack, guard } = driver
  return (x, answer) => respond(x, answer, false)

  function respond(x: LiveExchange, answer: Answer, isReplaced: boolean): Awaitable<Answer> {
    const { obligations } = stateOf(x)
    const cell = { answer: Object.freeze(markResult(x, answer)) }
    const take = (step: Step, result: unknown): undefined => {
      cell.answer = judge(driver, x, step, cell.answer, result)
    }
    const visit = (step: Step<'onResponse'>): Awaitable<Answer | undefined> =>
      chain(guard.call(step.site, step.run, x, cell.answer), result => {
        const replaced = isReplaced ? undefined : replace(step, cell.answer, result)
        return replaced ?? take(step, result)
      })
    // Invariant: what replaces an error goes the whole way that the answer of a server goes, and takes nobody's place again.
    const done = (replaced: Answer | undefined): Awaitable<Answer> => (replaced === undefined ? cell.answer : respond(x, replaced, true))
    if (obligations.length === 0) return stack.response.length === 0 ? cell.answer : chain(walk(stack.response, visit), done)
    const duties = walk(findDuties(stack, obligations), ({ obligation, step }): Awaitable<undefined> => {
      if (step === undefined) {
        cell.answer = withhold(x, cell.answer)
        return undefined
      }
      return chain(discharge(guard, step, obligation, { at: 'answer', exchange: x, answer: cell.answer }), result => take(step, result))
    })
    return chain(duties, () => chain(walk(stack.response, visit), done))
  }
}

/** By which the gateway says that the server could not be reached, or did not answer. */
const UNREACHED: ReadonlySet<string | undefined> = new Set<ErrorCode>([
  'upstream-unavailable',
  'upstream-busy',
  'upstream-crashed',
  'upstream-timeout',
])

/** What a plugin has in place of an error; undefined where the verdict is none of that kind, or may not be. */
function replace({ plugin }: Step, answer: Answer, result: unknown): Answer | undefined {
  if (answer.kind !== 'error' || !UNREACHED.has(answer.code) || !plugin.capabilities.has('answers')) return undefined
  const verdict = readVerdict(result, ['answer'])
  return verdict === undefined || verdict.isError === true ? undefined : toAnswer(verdict)
}

/** Told once, so that no plugin has to look through a result for it. */
function markResult(x: LiveExchange, answer: Answer): Answer {
  const { kind, payload } = answer
  if (kind !== 'result' || !(payload instanceof Json)) return answer
  const isInterim = MAY_ASK.has(x.resource.kind) && isModern(x) && payload.holds('resultType', 'input_required')
  if (x.resource.kind !== 'call') return isInterim ? { ...answer, isInputRequired: true } : answer
  const isToolError = payload.get('isError')?.value === true
  return isInterim ? { ...answer, isToolError, isInputRequired: true } : { ...answer, isToolError }
}

/** Resources whose requests may be answered so. Spec: 2026-07-28 basic/patterns/mrtr, "Supported Requests". */
const MAY_ASK: ReadonlySet<string> = new Set(['call', 'read', 'prompt'])

function isModern({ protocolVersion }: LiveExchange): boolean {
  return protocolVersion !== undefined && isModernVersion(protocolVersion)
}

function judge(driver: Driver, x: LiveExchange, step: Step, answer: Answer, result: unknown): Answer {
  const verdict = result instanceof HookFailure ? undefined : readVerdict(result, ['pass', 'rewrite', 'deny'])
  if (verdict === undefined) {
    const failure = result instanceof HookFailure ? result : garbage(step.site, result)
    return isForgiven(driver, x, failure, step.plugin) ? answer : withhold(x, answer)
  }
  if (verdict.kind === 'pass') return answer
  if (verdict.kind === 'deny') return withhold(x, answer, refuseDeny(driver, x, verdict, step.plugin.name).reason)
  const payload = rewritePayload(step, answer, verdict.value)
  if (payload instanceof Json) return Object.freeze({ ...answer, payload, given: answer.given ?? answer.payload })
  isForgiven(driver, x, undeclared(step.site, payload), step.plugin)
  return withhold(x, answer)
}

function rewritePayload(step: Step, answer: Answer, value: JsonValue): Json | string {
  const payload = rewriteAnswer(answer.payload, step.plugin, value)
  if (!(payload instanceof Json) || answer.kind === 'result') return payload
  return isErrorObject(payload) ? payload : 'an error object without code and message'
}

/** Invariant: the caller learns that the call was made, because a retry would make it twice. */
function withhold(x: LiveExchange, answer: Answer, why?: string): Answer {
  if (answer.code === 'withheld') return answer
  const text = [errors.withheld.text, ...(why ? [why] : [])].join(': ')
  const refusal = { code: 'withheld', reason: `${text}; ${effectOf(x, answer)}` }
  return Object.freeze({ kind: 'error', code: 'withheld', payload: refusalError(refusal, x.id) })
}

const UNSENT: ReadonlySet<string | undefined> = new Set<ErrorCode>(['upstream-unavailable', 'upstream-busy'])

function effectOf(x: LiveExchange, answer: Answer): string {
  if (stateOf(x).answer !== undefined || UNSENT.has(answer.code)) return 'the call was not made'
  return answer.code === undefined ? 'the call was made' : 'whether the call took effect is not known'
}

/** The notification as it may be sent; undefined where it is dropped, or where a plugin or an obligation could not clear it. */
export function createNotify(
  driver: Driver,
): (x: LiveExchange | undefined, notification: Notification) => Awaitable<Notification | undefined> {
  const { stack, guard } = driver
  return (x, notification) => {
    const obligations = x === undefined ? [] : stateOf(x).obligations
    const cell = { notification: Object.freeze(notification) }
    const take = (step: Step, result: unknown): true | undefined => {
      const next = judgeNotification(driver, x, step, cell.notification, result)
      if (next === undefined) return true
      cell.notification = next
      return undefined
    }
    const duties = walk(findDuties(stack, obligations), ({ obligation, step }) =>
      step === undefined
        ? true
        : chain(discharge(guard, step, obligation, { at: 'notification', exchange: x!, notification: cell.notification }), result =>
            take(step, result),
          ),
    )
    const lost = chain(
      duties,
      dropped =>
        dropped ??
        walk(stack.notification, step => chain(guard.call(step.site, step.run, x, cell.notification), result => take(step, result))),
    )
    return chain(lost, dropped => (dropped ? undefined : cell.notification))
  }
}

function judgeNotification(
  driver: Driver,
  x: LiveExchange | undefined,
  step: Step,
  before: Notification,
  result: unknown,
): Notification | undefined {
  const verdict = result instanceof HookFailure ? undefined : readVerdict(result, ['pass', 'rewrite', 'drop', 'deny'])
  if (verdict === undefined) {
    const failure = result instanceof HookFailure ? result : garbage(step.site, result)
    return isForgiven(driver, x, failure, step.plugin) ? before : undefined
  }
  if (verdict.kind === 'pass') return before
  if (verdict.kind !== 'rewrite') return undefined
  const params = rewriteAnswer(before.params, step.plugin, verdict.value)
  if (params instanceof Json) return Object.freeze({ method: before.method, params })
  isForgiven(driver, x, undeclared(step.site, params), step.plugin)
  return undefined
}
