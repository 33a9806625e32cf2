// `policy eval`: calls in, decisions out, one line of JSON each, in the same order.
import { createEvaluator, type Facts, type PolicyDecision, readCall } from 'mcpgw/policy'
import { readChecked } from './checked.ts'
import { fail, type Io, readText, textOption } from './inputs.ts'

export async function evaluate(io: Io): Promise<number> {
  const call = textOption(io, 'call')
  const file = textOption(io, 'calls')
  if ((call === undefined) === (file === undefined)) return fail(io, 'expected either --call JSON or --calls FILE')
  const ready = await readChecked(io)
  if (typeof ready === 'string') return 2
  const evaluator = createEvaluator(ready.policy)
  const context = { now: ready.now, lock: ready.inputs.lock }
  if (call !== undefined) {
    const facts = readCall(call, context)
    if ('error' in facts) {
      io.out(JSON.stringify({ error: facts.error }))
      return fail(io, `--call: ${facts.error}`)
    }
    return decideOne(facts) || io.options.fail !== true ? 0 : 1
  }
  const text = await readText(io, file!)
  if (text === undefined) return 2
  const lines = text.text.replace(/^\ufeff/, '').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  let allowed = true
  for (const line of lines) {
    if (io.signal.aborted) return 3
    const facts = readCall(line, context)
    if ('error' in facts) {
      io.out(JSON.stringify({ error: facts.error }))
      allowed = false
    } else if (!decideOne(facts)) allowed = false
  }
  return allowed || io.options.fail !== true ? 0 : 1

  function decideOne(facts: Facts): boolean {
    const decision = evaluator.decide(facts)
    io.out(JSON.stringify(toJson(decision)))
    return decision.outcome === 'allow'
  }
}

export function toJson({ outcome, by, obligations, errors, shadow }: PolicyDecision): object {
  return { decision: outcome, by, obligations, errors: errors.map(({ rule, code }) => ({ rule, code })), shadow }
}
