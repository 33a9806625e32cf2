// Settings for some servers, tools and roles: the first rule that fits, what stands above where none does, and the strictest where nobody knows.
import { type Harness, harness } from 'mcpgw/testing'
import { expect, test } from 'vitest'
import redact from '../../../plugins/redact/index.ts'
import { openStage } from './stage.ts'

const card = '4111111111111111'
const mail = 'ann@example.com'
const text = `${card} ${mail}`

async function open(config: object): Promise<Harness> {
  return harness({ plugins: [{ plugin: redact, config }] })
}

async function sent(world: Harness, server: string, tool: string, roles?: readonly string[], args: object = { text }): Promise<unknown> {
  const principal = roles && { id: 'x', roles, tenant: '', claims: {}, via: { method: 'test' } }
  await world.call(server, tool, args as { text: string }, principal && { principal })
  return (world.upstream.received.at(-1)!.params.value as { arguments: object }).arguments
}

test('the first rule that fits counts; all of its conditions must hold', async () => {
  const world = await open({
    actions: { card: 'replace' },
    rules: [
      { servers: ['crm'], roles: ['support', 'sales'], detectors: ['card'] },
      { tools: ['crm__export'], actions: { email: 'mask' } },
      { servers: ['crm'], actions: { card: 'mask' } },
    ],
  })
  expect(await sent(world, 'crm', 'get', ['sales'])).toEqual({ text: `[CARD] ${mail}` })
  expect(await sent(world, 'crm', 'export', ['support'])).toEqual({ text: `[CARD] ${mail}` })
  expect(await sent(world, 'crm', 'export', ['other'])).toEqual({ text: '[CARD] ***@******e.com' })
  expect(await sent(world, 'crm', 'get', [])).toEqual({ text: '************1111 [EMAIL]' })
  expect(await sent(world, 'crm', 'get')).toEqual({ text: '************1111 [EMAIL]' })
  expect(await sent(world, 'wiki', 'export', ['support'])).toEqual({ text: '[CARD] [EMAIL]' })
  await world.stop()
})

test('the fields of a rule come beside those above, and own patterns run under every rule, but not where exempt', async () => {
  const world = await open({
    fields: ['$.a'],
    patterns: [{ name: 'ticket', pattern: String.raw`TCK-\d+` }],
    rules: [{ servers: ['crm'], detectors: [], fields: ['$.b'] }],
    exempt: { servers: ['mail'] },
  })
  const args = { a: '1', b: '2', c: `TCK-7 ${card}` }
  expect(await sent(world, 'crm', 'get', undefined, args)).toEqual({ a: '[REDACTED]', b: '[REDACTED]', c: `[TICKET] ${card}` })
  expect(await sent(world, 'wiki', 'get', undefined, args)).toEqual({ a: '[REDACTED]', b: '2', c: '[TICKET] ************1111' })
  expect(await sent(world, 'mail', 'get', undefined, args)).toEqual({ a: '[REDACTED]', b: '2', c: `TCK-7 ${card}` })
  await world.stop()
})

test('a rule covers answers and notifications of its server as well, and reads and prompts', async () => {
  const world = await open({ detectors: [], rules: [{ servers: ['crm'], detectors: ['email'] }] })
  for (const server of ['crm', 'wiki']) {
    world.upstream.on(`${server}/get`, async (_request, reply) => {
      await reply.notify('notifications/message', { level: 'info', data: mail })
      return { content: [{ type: 'text', text: mail }] }
    })
    const { value, notifications } = await world.call(server, 'get')
    const shown = server === 'crm' ? '[EMAIL]' : mail
    expect(value).toEqual({ content: [{ type: 'text', text: shown }] })
    expect(notifications[0]!.params.value).toEqual({ level: 'info', data: shown })
  }
  await world.stop()
})

test('where neither server nor caller is known, everything is looked for that any rule names, by its strictest action', async () => {
  const stage = await openStage({
    detectors: ['card'],
    actions: { card: 'mask' },
    rules: [
      { servers: ['crm'], detectors: ['card', 'email'], actions: { card: 'drop' } },
      { roles: ['intern'], detectors: ['ssn'], actions: { ssn: 'block' } },
    ],
  })
  const { notify } = await import('./stage.ts')
  expect(await notify(stage, 'notifications/message', `{"level":"info","data":["${card}","${mail} 123-45-6789"]}`)).toBe(
    '{"level":"info","data":["","[EMAIL] [SSN]"]}',
  )
})

test('what is stored or shown is masked by the strictest too, and never blocked, dropped or made comparable', async () => {
  const { masking } = await openStage({ actions: { card: 'block', email: 'token', ssn: 'drop' } })
  expect(masking.text(`${card} ${mail} 123-45-6789`)).toBe('[CARD] [EMAIL] [SSN]')
  expect(masking.text(`${'x'.repeat(1024 * 1024)} ${mail}`)).toBe('[WITHHELD]')
})

const issues = async (given: unknown): Promise<string[]> => {
  const checked = await redact.config['~standard'].validate(given)
  return (checked.issues ?? []).map(({ path = [], message }) => `${path.map(String).join('.')}: ${message}`)
}

test('a mistake is named with its field and what was expected', async () => {
  expect(await issues({ rules: [{ detectors: ['card'] }] })).toEqual([
    'rules.0: expected servers, tools or roles: a rule for everything is what stands above the rules',
  ])
  expect(await issues({ rules: [{ servers: [] }] })).toEqual([expect.stringMatching(/^rules\.0\.servers: /)])
  expect(await issues({ rules: [{ servers: ['a'], actions: { card: 'hide' } }] })).toEqual([
    expect.stringMatching(/^rules\.0\.actions\.card: .*mask.*token.*replace.*drop.*block/),
  ])
  expect(await issues({ rules: [{ role: ['a'], servers: ['a'] }] })).toEqual([expect.stringMatching(/^rules\.0: .*role/)])
  expect(await issues({ actions: { crad: 'mask' } })).toEqual([expect.stringMatching(/^actions\.?/)])
})

test('a pattern that cannot be used is refused with its field and the reason', async () => {
  const pattern = (given: string, name = 'own') => issues({ patterns: [{ name, pattern: given }] })
  expect(await pattern('(')).toEqual(['patterns.0.pattern: a pattern that is not RE2: missing closing ): `(`'])
  expect(await pattern('(?=a)')).toEqual(['patterns.0.pattern: a pattern that is not RE2: invalid or unsupported Perl syntax: `(?=`'])
  expect(await pattern('a*')).toEqual(['patterns.0.pattern: a pattern that matches the empty text, and so every text'])
  expect(await pattern('(a{1,50}){1,20}')).toEqual(['patterns.0.pattern: a pattern that is too large, for its repetitions'])
  expect(await pattern('a'.repeat(1001))).toEqual(['patterns.0.pattern: a pattern of 1001 characters; at most 1000 are allowed'])
  expect(await pattern('a', 'card')).toEqual(['patterns.0.name: this is the name of a detector: take another'])
  expect(await pattern('a', 'Own Name')).toEqual([
    'patterns.0.name: expected lower-case letters, digits and dashes, beginning with a letter',
  ])
  expect(
    await issues({
      patterns: [
        { name: 'a', pattern: 'a' },
        { name: 'a', pattern: 'b' },
      ],
    }),
  ).toEqual(['patterns: two patterns have one name'])
})

test('a pattern finds what escapes and disguises of JSON hide, in keys too, and nested quantifiers cost no more', async () => {
  const world = await open({ patterns: [{ name: 'evil', pattern: '(a+)+b' }] })
  expect(await sent(world, 's', 't', undefined, { xaab: 'aaab', n: 1 })).toEqual({ 'x[EVIL]': '[EVIL]', n: 1 })
  expect(await sent(world, 's', 't', undefined, { text: 'a'.repeat(5000) })).toEqual({ text: 'a'.repeat(5000) })
  await world.stop()
})
