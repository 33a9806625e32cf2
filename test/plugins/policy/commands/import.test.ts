// `policy import` reads variables as the gateway does that runs the same file, and no other part of it.
import { expect, test } from 'vitest'
import { createFolder, say } from '../../../core/commands/run-command.ts'

const yaml = (tool: string, name = 'Read'): string => `
auth: { type: api-key, keys: [{ id: a, key: "\${API_KEY}", name: a }] }
servers: [{ id: crm, command: node, env: { TOKEN: "\${secret:crm}" } }]
policies:
  - id: reader
    name: ${JSON.stringify(name)}
    roles: ["\${ROLE}"]
    rules:
      - { tool: ${JSON.stringify(tool)}, action: allow }
      - { tool: "*", action: deny }
`
const run = (text: string, env: Record<string, string>) =>
  say(createFolder({ 'gateway.yaml': text }), ['policy', 'import', 'gateway.yaml'], env)

test('a variable is filled in, where it stands is noted, and nothing outside of the policies is asked for', async () => {
  const { code, out, err } = await run(yaml('get_${env:WHAT}'), { ROLE: 'support', WHAT: 'tickets' })
  expect(code).toBe(0)
  expect(out).toContain('allow reader-1 {\n  who     role support\n  call    */get_tickets\n')
  expect(err).toBe('note: gateway.yaml:7:13: filled in with what ROLE is now\nnote: gateway.yaml:9:17: filled in with what WHAT is now\n')
})

test('$${ is a literal ${, and what comes in is not looked at again', async () => {
  const { code, out } = await run(yaml('get_x', 'Read $${ROLE}'), { ROLE: '${WHAT}' })
  expect(code).toBe(0)
  expect(out).toContain('because "Read ${ROLE}"')
  expect(out).toContain('role "${WHAT}"')
})

test.each([
  ['get_${WHAT}', 'the variable WHAT is not set'],
  ['get_${secret:what}', 'a secret may not stand here'],
  ['get_${1x}', 'bad reference: the name of a variable is letters, digits and _, and does not begin with a digit'],
])('%s is one error, at its place, and nothing is printed', async (tool, why) => {
  const { code, out, err } = await run(yaml(tool), { ROLE: 'support' })
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toBe(`error[import]: gateway.yaml:9:17: \`${tool}\` cannot be filled in: ${why}\n`)
})

test('the same file, run and imported, means the same', async () => {
  const dir = createFolder({ 'gateway.yaml': yaml('get_${WHAT}').replace(/^(auth|servers):.*$/gm, '') })
  const env = { ROLE: 'support', WHAT: 'tickets' }
  expect((await say(dir, ['policy', 'import', 'gateway.yaml', '--out', 'main.policy'], env)).code).toBe(0)
  for (const [tool, role] of [
    ['get_tickets', 'support'],
    ['get_other', 'support'],
    ['get_tickets', 'other'],
  ]) {
    const call = ['--call', JSON.stringify({ principal: { id: 'a', roles: [role] }, call: `crm/${tool}` })]
    const ran = await say(dir, ['policy', 'eval', '-c', 'gateway.yaml', ...call], env)
    expect(ran.code).toBe(0)
    expect((await say(dir, ['policy', 'eval', 'main.policy', ...call])).out).toBe(ran.out)
  }
})
