// `policy explain`: why one call is allowed or denied, rule by rule and part by part; no value of the call is shown.
import { createEvaluator, type Explanation, type PolicyDecision, readCall } from 'mcpgw/policy'
import { explainCall } from '../explained.ts'
import { readChecked } from './checked.ts'
import { fail, type Io, textOption } from './inputs.ts'

export async function explain(io: Io): Promise<number> {
  const call = callOf(io)
  if (typeof call !== 'string') return fail(io, call.wrong)
  const ready = await readChecked(io)
  if (typeof ready === 'string') return 2
  const facts = readCall(call, { now: ready.now, lock: ready.inputs.lock })
  if ('error' in facts) return fail(io, `--call: ${facts.error}`)
  const evaluator = createEvaluator(ready.policy)
  io.out(io.json ? JSON.stringify(explainCall(evaluator, facts), null, 2) : toText(evaluator.decide(facts), evaluator.explain(facts)))
  return 0
}

/** The friendly form says who by `--as` and `--id`; nothing has happened before. */
function callOf(io: Io): string | { readonly wrong: string } {
  const call = textOption(io, 'call')
  const [roles, id, args] = [textOption(io, 'as'), textOption(io, 'id'), textOption(io, 'args')]
  if (call === undefined) return { wrong: 'expected --call server/tool, or --call JSON' }
  if (call.trimStart().startsWith('{'))
    return roles === undefined && id === undefined && args === undefined
      ? call
      : { wrong: 'a call as JSON says itself what --as, --id and --args say' }
  const [, action = 'call', target = ''] = /^(?:(call|read|prompt|method) +)?(.*)$/s.exec(call)!
  const principal = {
    id: id ?? '',
    roles: (roles ?? '')
      .split(',')
      .map(role => role.trim())
      .filter(role => role !== ''),
  }
  const given = args === undefined ? '' : `,"args":${args}`
  return `{"principal":${JSON.stringify(principal)},${JSON.stringify(action)}:${JSON.stringify(target)},"history":[]${given}}`
}

function toText({ outcome, by, obligations, because }: PolicyDecision, rules: readonly Explanation[]): string {
  const lines = [`${outcome} by ${by === 'default' ? 'default: no allow matches' : by.join(', ')}`]
  if (because !== undefined) lines.push(`  because ${because}`)
  for (const { name, args } of obligations) {
    lines.push(
      `  then ${name}${args.length === 0 ? '' : `(${args.map(one => (one.name === undefined ? one.value : `${one.name}: ${one.value}`)).join(', ')})`}`,
    )
  }
  if (rules.length === 0) lines.push('', 'no rule is about this target')
  for (const one of rules) lines.push('', ...ruleLines(one))
  return lines.join('\n')
}

function ruleLines({ rule, effect, shadow, place, target, matches, parts }: Explanation): string[] {
  const head = `${matches ? 'matches ' : 'no match'} ${shadow ? 'shadow ' : ''}${effect} ${rule}  ${place.file}:${place.line}  ${target}`
  return [
    head,
    ...parts.flatMap(part => [
      `  ${part.error ?? (part.holds ? 'holds' : 'fails')}: ${part.text.startsWith(part.kind) ? '' : `${part.kind} `}${part.text.replaceAll(/\s+/g, ' ')}  ${part.place.file}:${part.place.line}`,
      ...part.values.map(({ name, is }) => `    ${name} is ${is}`),
    ]),
  ]
}
