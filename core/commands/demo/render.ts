// The demo as people read it.
import { printable } from '../../plugin/index.ts'
import type { Forgery, Recorded, Verified } from './evidence.ts'
import type { Step } from './steps.ts'

/** What the agent got, and what is on record of it. */
export interface Taken {
  readonly step: Step
  /** Texts of the answer. */
  readonly answer: string
  readonly recorded: Recorded
}

type Paint = (style: string, text: string) => string

export function painter(color: boolean): Paint {
  return (style, text) => (color ? `\u001b[${style}m${text}\u001b[0m` : text)
}

export function renderTaken({ step, answer, recorded }: Taken, number: number, paint: Paint): string {
  const { decision, rules, masked, code } = recorded
  const by = rules.map(({ rule, at }) => `${rule}  ${at}`).join(', ') || 'default: no rule allows it'
  const kinds = Object.keys(masked).join(', ')
  const facts = [
    ['call', `${step.server}__${step.tool} ${JSON.stringify(step.args)}`],
    ['agent gets', printable(answer.replaceAll('\n', ' | '))],
    ['decided', `${decision} by ${by}`],
    ...(kinds === '' ? [] : [['masked', kinds]]),
    ['on record', code === undefined ? recorded.status : `${recorded.status}, ${code}`],
  ] as const
  const lines = facts.map(([name, text]) => `   ${name!.padEnd(10)}  ${text}\n`)
  return `${number}. ${paint('1', step.what)}: ${step.says}\n${lines.join('')}\n`
}

export function renderProof(before: Verified, { from, to }: Forgery, after: Verified, paint: Paint): string {
  const { records, checkpoints } = before
  return [
    `The record: ${records} records, ${checkpoints} signed checkpoints. ${paint('1', 'mcpgw audit verify')} says: ${before.verdict}.`,
    `In a copy the refusal is made to look like another one: ${from} becomes ${to}.`,
    `${paint('1', 'mcpgw audit verify')} says: ${after.broken === null ? after.verdict : `BROKEN at record ${after.broken.n ?? '?'}, ${after.broken.what}`}.`,
    '',
  ].join('\n')
}
