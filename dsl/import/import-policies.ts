// The older YAML policies as a policy bundle that decides as they did, or the reasons why it cannot.
//
// What they mean. A policy speaks for callers that have one of its roles (`*`: everybody). Within a policy a rule that names a server or
// tool goes before one that does not, then the order of the file counts, and the first that matches decides. A deny of everything at the
// end is what happens anyway. Of several policies that speak for a caller any deny wins, then any allow; what none allows is denied.
import { holds, isEverything, matchesGlob, meet } from './older-glob.ts'
import { type ImportProblem, type OlderPolicy, type OlderRule, readOlderPolicies } from './older-policies.ts'
import { conditionText, lineText, nameText, quote, scopeText } from './policy-text.ts'

export type Imported = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problems: readonly ImportProblem[] }

interface Placed extends OlderRule {
  /** Where it stands in the file, from 0. */
  readonly at: number
}
interface Surroundings {
  /** Tool names with a `/`: no glob of the language reaches them, so they are named wherever a glob of the YAML means them. */
  readonly slashed: readonly string[]
  /** Whether an allow names the gateway's own tools, which no `*` of the language reaches. */
  readonly gateway: boolean
  /** Roles that some policy allows something. */
  readonly allowing: ReadonlySet<string>
  readonly names: Set<string>
  tell(path: ImportProblem['path'], message: string): void
}

/** `value`: what stands under `policies`, as plain data. */
export function importPolicies(value: unknown): Imported {
  const { policies, problems: unread } = readOlderPolicies(value)
  if (unread.length > 0) return { ok: false, problems: unread }
  const problems: ImportProblem[] = []
  const rules = policies.flatMap(policy => policy.rules)
  const around: Surroundings = {
    slashed: [...new Set(rules.map(({ tool }) => tool).filter(tool => tool.includes('/') && !tool.includes('*')))],
    gateway: rules.some(({ server, action }) => server === 'gateway' && action === 'allow'),
    allowing: new Set(policies.filter(policy => policy.rules.some(isAllow)).flatMap(({ roles }) => roles)),
    names: new Set(['default']),
    tell: (path, message) => void problems.push({ path, message }),
  }
  const parts = policies.map((policy, index) => policyText(policy, index, around))
  if (problems.length > 0) return { ok: false, problems }
  const head = `# The policies of a gateway.yaml. What nothing here allows is denied.\npolicy "gateway" edition 1\n`
  return { ok: true, text: [head, ...parts].join('\n') }
}

function isAllow({ action }: OlderRule): boolean {
  return action === 'allow'
}

function isCatchAll({ server, tool, conditions }: OlderRule): boolean {
  return isEverything(server) && isEverything(tool) && conditions.length === 0
}

function specificity({ server, tool }: OlderRule): number {
  return Number(!isEverything(server)) + Number(!isEverything(tool))
}

function overlap(a: OlderRule, b: OlderRule): boolean {
  return meet(a.server, b.server) && meet(a.tool, b.tool)
}

function policyText(policy: OlderPolicy, index: number, around: Surroundings): string {
  const placed = policy.rules.map((rule, at): Placed => ({ ...rule, at }))
  checkOrder(placed, index, around)
  const ordered = placed.toSorted((a, b) => specificity(b) - specificity(a) || a.at - b.at)
  const texts: string[] = []
  for (const [position, rule] of ordered.entries()) {
    const path = [index, 'rules', rule.at]
    checkPatterns(rule, path, around)
    const roles = rolesOf(rule, policy, !ordered.slice(position + 1).some(isAllow), around)
    if (roles.length === 0) continue
    const earlier = isAllow(rule) ? [] : ordered.slice(0, position).filter(one => isAllow(one) && overlap(one, rule))
    const text = ruleText(rule, earlier, { policy, roles, path, around })
    if (text !== '') texts.push(text)
  }
  const title = `# ${lineText(policy.id)}${policy.name === policy.id ? '' : `: ${lineText(policy.name)}`}\n`
  return texts.length === 0 ? `${title}# Nothing beyond the default.\n` : `${title}${texts.join('\n')}`
}

/** A deny of everything with nothing after it is the default; where its policy allows nothing, it shuts out the roles that only it knows. */
function rolesOf(rule: Placed, policy: OlderPolicy, last: boolean, { allowing }: Surroundings): readonly string[] {
  if (isAllow(rule) || !isCatchAll(rule) || !last) return policy.roles
  return policy.rules.some(isAllow) || policy.roles.includes('*') ? [] : policy.roles.filter(role => !allowing.has(role))
}

// The order of the file says deny, the older gateway took what is more specific first: neither is guessed.
function checkOrder(rules: readonly Placed[], index: number, { tell }: Surroundings): void {
  for (const rule of rules.filter(isAllow)) {
    const before = rules.find(one => one.at < rule.at && !isAllow(one) && specificity(one) < specificity(rule) && overlap(one, rule))
    if (before === undefined) continue
    const what = `the allow of \`${rule.server}/${rule.tool}\` stands after the more general deny of \`${before.server}/${before.tool}\` (rule ${before.at + 1})`
    tell([index, 'rules', rule.at], `${what}, so that it is not clear which one counts: put the allow before the deny, or leave it out`)
  }
}

function checkPatterns(rule: Placed, path: ImportProblem['path'], { tell }: Surroundings): void {
  const plain = /^[A-Za-z0-9_.*-]+$/
  if (!plain.test(rule.server)) tell([...path, 'server'], `no server can be called \`${rule.server}\``)
  if (rule.tool.includes('*') && !plain.test(rule.tool))
    tell([...path, 'tool'], `the pattern \`${rule.tool}\` cannot be kept: beside \`*\` it takes letters, digits, \`_\`, \`.\` and \`-\``)
}

interface Context {
  readonly policy: OlderPolicy
  readonly roles: readonly string[]
  readonly path: ImportProblem['path']
  readonly around: Surroundings
}

/** `earlier`: the allows that come first and so are no business of this deny. Empty where they leave nothing of it. */
function ruleText(rule: Placed, earlier: readonly Placed[], { policy, roles, path, around }: Context): string {
  const condition = conditionText(rule)
  if ('problem' in condition) {
    around.tell([...path, 'conditions', condition.at, 'value'], condition.problem)
    return ''
  }
  const sure = earlier.filter(({ conditions }) => conditions.length === 0)
  // An allow with a `*` for the server does not reach the gateway's own tools, a deny does.
  if (!around.gateway && sure.some(one => holds(one.server, rule.server) && holds(one.tool, rule.tool))) return ''
  const unless = earlier
    .filter(one => !sure.includes(one))
    .map(one => exceptionText(one, rule))
    .filter(one => one !== undefined)
  const except = sure.flatMap(one => targetTexts(one, around))
  const lines = [
    `  who     ${roles.includes('*') ? 'any' : roles.map(role => `role ${nameText(role)}`).join(', ')}`,
    `  call    ${targetTexts(rule, around).join(', ')}${except.length === 0 ? '' : ` except ${except.join(', ')}`}`,
    ...(condition.text === '' ? [] : [`  when    { ${condition.text} }`]),
    ...(unless.length === 0 ? [] : [`  unless  { ${unless.join(' || ')} }`]),
    `  because ${quote(isAllow(rule) ? policy.name : `Denied by ${policy.name}`)}`,
  ]
  return `${rule.action} ${nameText(uniqueName(`${policy.id}-${rule.at + 1}`, around.names))} {\n${lines.join('\n')}\n}\n`
}

// A condition of an allow that cannot be kept is told where the allow itself is written.
function exceptionText(allow: Placed, deny: Placed): string | undefined {
  const condition = conditionText(allow)
  if ('problem' in condition) return undefined
  const scope = holds(allow.server, deny.server) && holds(allow.tool, deny.tool) ? '' : scopeText(allow)
  return `(${[scope, condition.text].filter(one => one !== '').join(' && ')})`
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`
  taken.add(name)
  return name
}

function targetTexts({ server, tool, action }: OlderRule, { slashed, gateway }: Surroundings): string[] {
  const tools = /^[A-Za-z0-9_.*-]+$/.test(tool) ? [tool.replaceAll(/\*+/g, '*')] : [quote(tool)]
  if (tool.includes('*')) tools.push(...slashed.filter(one => matchesGlob(tool, one)).map(quote))
  const servers = [server.replaceAll(/\*+/g, '*')]
  if (gateway && action === 'deny' && server.includes('*') && matchesGlob(server, 'gateway')) servers.push('gateway')
  return servers.flatMap(one => tools.map(name => `${one}/${name}`))
}
