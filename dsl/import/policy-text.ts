// Words, strings and conditions of the older policies as text of the policy language.
import { isEverything } from './older-glob.ts'
import type { OlderCondition, OlderRule } from './older-policies.ts'
import { toRe2 } from './older-regex.ts'

/** Words that mean something to the grammar; as names they are written in quotes. */
const grammarWords = new Set(
  `policy edition owner let targets shadow allow deny require who except any in role agent tenant call read prompt method when unless
  after within then because expires test as given ago at from expect by with default`.split(/\s+/),
)
const celWords = new Set(
  `true false null in as break const continue else for function if import let loop package namespace return var void while`.split(/\s+/),
)

/** A string of the language and of CEL alike. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function nameText(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && !grammarWords.has(name) ? name : quote(name)
}

/** `because` and comments: one line, whatever a name holds. */
export function lineText(text: string): string {
  return quote(text).slice(1, -1).replaceAll('\\"', '"')
}

/**
 * All conditions of a rule. Absent arguments meet none, but for `neq` of a deny: an unknown never widens access.
 * A string is the reason why a condition cannot be kept.
 */
export function conditionText(rule: OlderRule): { readonly text: string } | { readonly problem: string; readonly at: number } {
  const parts: string[] = []
  for (const [at, condition] of rule.conditions.entries()) {
    const part = oneCondition(condition, rule.action)
    if ('problem' in part) return { ...part, at }
    parts.push(part.text)
  }
  return { text: parts.join(' && ') }
}

function oneCondition({ param, operator, value }: OlderCondition, action: OlderRule['action']): { text: string } | { problem: string } {
  const plain = /^[A-Za-z_]\w*$/.test(param) && !celWords.has(param)
  const given = plain ? `has(args.${param})` : `${quote(param)} in args`
  const actual = plain ? `string(args.${param})` : `string(args[${quote(param)}])`
  if (operator === 'in') return { text: `${given} && ${actual} in [${(value as readonly string[]).map(quote).join(', ')}]` }
  const text = value as string
  if (operator === 'eq') return { text: `${given} && ${actual} == ${quote(text)}` }
  if (operator === 'neq')
    return { text: action === 'allow' ? `${given} && ${actual} != ${quote(text)}` : `(!(${given}) || ${actual} != ${quote(text)})` }
  const translated = toRe2(text)
  return 'problem' in translated ? translated : { text: `${given} && ${actual}.matches(${quote(translated.pattern)})` }
}

/** That a call is one of those that a rule means, where a condition must say so. */
export function scopeText({ server, tool }: OlderRule): string {
  return [globText('tool.server', server), globText('tool.name', tool)].filter(one => one !== '').join(' && ')
}

function globText(variable: string, glob: string): string {
  if (isEverything(glob)) return ''
  const [first = '', ...more] = glob.split('*')
  if (more.length === 0) return `${variable} == ${quote(glob)}`
  if (more.length === 1 && more[0] === '') return `${variable}.startsWith(${quote(first)})`
  if (more.length === 1 && first === '') return `${variable}.endsWith(${quote(more[0]!)})`
  const pattern = glob
    .split('*')
    .map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('(?s:.*)')
  return `${variable}.matches(${quote(`^${pattern}$`)})`
}
