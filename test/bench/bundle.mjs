// The policies and the catalog lock that the benchmark works on: as many rules and tools as are asked for, a third by name, the rest by pattern.

const SERVERS = 20
export const ROLES = 40
const VERBS = /** @type {const} */ (['get', 'search', 'update', 'delete'])

/** @param {number} n @param {number} tools */
export function toolOf(n, tools) {
  const at = n % tools
  return { server: `server-${at % SERVERS}`, name: `${VERBS[at % VERBS.length]}_thing_${at}` }
}

/** @param {number} n @param {number} tools */
function ruleOf(n, tools) {
  const { server, name } = toolOf(n, tools)
  const role = `role-${n % ROLES}`
  if (n % 100 === 0)
    return `deny guard-${n} {\n  call */delete_*\n  when { has(args.count) && args.count > ${1000 + n} }\n  because "too many"\n}`
  if (n % 10 === 1) return `deny large-${n} {\n  call ${server}/${name}\n  when { has(args.count) && args.count > 4000 }\n}`
  const target = n % 2 === 0 ? `${server}/${name}` : `${server}/${name.split('_')[0]}_*`
  const when = n % 4 < 2 ? `  when { args.customer == principal.claims.customer && (!has(args.limit) || args.limit <= ${n}) }\n` : ''
  return `allow rule-${n} {\n  who role ${role}, role ${role}-lead in tenant acme\n  call ${target}\n${when}}`
}

/** @param {number} rules @param {number} tools @param {string} [more] rules by hand */
export function policyText(rules, tools, more = '') {
  return `policy "bench" edition 1\n${Array.from({ length: rules }, (_, n) => ruleOf(n, tools)).join('\n')}\n${more}`
}

/** @param {number} tools */
export function lockText(tools) {
  const inputSchema = {
    type: 'object',
    properties: { customer: { type: 'string' }, limit: { type: 'integer' }, count: { type: 'integer' }, body: { type: 'string' } },
    required: ['customer'],
  }
  const servers = Object.fromEntries(
    Array.from({ length: SERVERS }, (_, s) => {
      const own = Array.from({ length: tools }, (_, n) => toolOf(n, tools)).filter(({ server }) => server === `server-${s}`)
      const locked = own.map(({ name }) => ({ name, digest: '0'.repeat(64), description: `Does ${name}`, inputSchema }))
      return [`server-${s}`, { tools: locked, resources: [], templates: [], prompts: [] }]
    }),
  )
  return JSON.stringify({ v: 1, servers, roles: [], tenants: [], dischargers: ['limit', 'log', 'redact'] })
}

/** What lets the calls of the benchmark through, with a look at their arguments. */
export const BENCH_RULE = `
allow bench {
  who  any
  call bench/*
  when { !has(args.text) || args.text != "never" }
}
`
