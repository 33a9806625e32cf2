// The example bundle in front of real servers: what its files say is what real calls meet.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorkspace, type Workspace } from '../docs/workspace.ts'
import { createCapableClient, defaultAnswers } from './clients.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { runCli } from './product.ts'
import { readRecords, type ShownRecord } from './records.ts'

let at: Workspace
let gateway: Gateway
const clients = new Map<string, Client>()

const KEYS: readonly (readonly [id: string, roles: string, tenant: string, claims?: string])[] = [
  ['a1', 'support', 'acme', '{"customer_id":"c-1"}'],
  ['a2', 'support,developer', 'acme'],
  ['a3', 'support,people-team', 'acme'],
  ['l1', 'support-lead', 'acme'],
  ['intern-1', 'support-lead', 'acme'],
  ['d1', 'developer', 'acme'],
  ['d2', 'developer', 'partner'],
  ['r1', 'release-manager', 'acme'],
  ['p1', 'people-team', 'acme'],
  ['x1', 'nobody', 'acme'],
]

beforeAll(async () => {
  at = createWorkspace('team-policy')
  const keys = new Map<string, string>()
  for (const [id, roles, tenant, claims] of KEYS) {
    const made = runCli(
      ['keys', 'create', id, id, roles, '--tenant', tenant, ...(claims === undefined ? [] : ['--claims', claims])],
      at.dir,
    )
    keys.set(id, made.out.trim())
  }
  gateway = await startGateway({ dir: at.dir, stdio: false })
  for (const [id, key] of keys) {
    const client = createCapableClient(defaultAnswers())
    await client.connect(
      new StreamableHTTPClientTransport(new URL(gateway.url), { requestInit: { headers: { authorization: `Bearer ${key}` } } }),
    )
    clients.set(id, client)
  }
}, 60_000)
afterAll(async () => {
  for (const client of clients.values()) await client.close()
  await gateway?.stop()
  at?.remove()
})

interface Said {
  readonly isError?: boolean
  readonly content: readonly { readonly text: string }[]
  readonly structuredContent?: unknown
  readonly _meta?: Readonly<Record<string, unknown>>
}
async function call(id: string, name: string, args: Record<string, unknown> = {}): Promise<Said> {
  return (await clients.get(id)!.callTool({ name, arguments: args })) as unknown as Said
}
const textOf = (said: Said): string => said.content.map(({ text }) => text).join('\n')
const refusalOf = (said: Said): unknown => (said._meta?.['mcpgw/refusal'] as { code?: string } | undefined)?.code
const recordsOf = (tool: string): ShownRecord[] => readRecords(at.dir).filter(one => one.tool === tool)
const decisionOf = (record: ShownRecord | undefined): unknown => (record as { decision?: unknown } | undefined)?.decision

describe('the support desk', () => {
  test('sees the customer on the line, without the number that is nobody’s business', async () => {
    const said = await call('a1', 'crm__get_customer', { customer_id: 'c-1' })
    expect(said.structuredContent).toMatchObject({ name: 'Ada Moreno', ssn: '[REDACTED]', cards: [{ number: '[REDACTED]' }] })
    expect(textOf(said)).not.toMatch(/6789|4242/)
    expect(JSON.stringify(decisionOf(recordsOf('get_customer').findLast(({ type }) => type === 'intent')))).toMatch(
      /read-own-customer.*policies\/support\.policy:\d+/,
    )
  })

  test('sees no other customer, and is told no more than that', async () => {
    const said = await call('a1', 'crm__get_customer', { customer_id: 'c-2' })
    expect([said.isError, refusalOf(said)]).toEqual([true, 'denied'])
    expect(textOf(said)).not.toMatch(/c-2|own_customer|principal/)
  })

  test.each([101, 500])('gets no page of %i tickets', async limit => {
    expect(refusalOf(await call('a1', 'crm__search_tickets', { customer_id: 'c-1', limit }))).toBe('denied')
    expect((await call('a1', 'crm__search_tickets', { customer_id: 'c-1', limit: 100 })).isError).toBeFalsy()
  })

  test('sends no arguments that the tool does not take', async () => {
    const said = await call('a1', 'crm__search_tickets', { customer_id: 'c-1', limit: 'all' })
    expect([said.isError, refusalOf(said)]).toEqual([true, 'invalid-arguments'])
    expect(textOf(said)).toContain('/limit')
  })

  test('refunds three times an hour, in two currencies, and all of it is on record', async () => {
    const refund = (currency: string) => call('l1', 'crm__create_refund', { customer_id: 'c-1', amount: 20, currency })
    expect(refusalOf(await refund('GBP'))).toBe('denied')
    for (const currency of ['EUR', 'USD', 'EUR']) expect((await refund(currency)).structuredContent).toMatchObject({ refunded: 20 })
    const fourth = await refund('EUR')
    expect(refusalOf(fourth)).toBe('rate-limited')
    expect((fourth._meta!['mcpgw/refusal'] as { retryAfter: number }).retryAfter).toBeGreaterThan(60)
    const outcome = recordsOf('create_refund').find(({ type }) => type === 'outcome')
    expect(JSON.stringify(outcome)).toContain('refunded')
  })

  test('sends mail, until a secret or a personnel file was read', async () => {
    const mail = (id: string) => call(id, 'crm__send_mail', { to: 'ada@acme.example', text: 'hello' })
    expect((await mail('a2')).isError).toBeFalsy()
    expect((await call('a2', 'vault__read_secret', { name: 'deploy-key' })).isError).toBeFalsy()
    const denied = await mail('a2')
    expect([denied.isError, textOf(denied)]).toEqual([true, expect.stringContaining('Whoever has seen secrets may not send data out')])
    expect((await mail('a3')).isError).toBeFalsy()
    await clients.get('a3')!.readResource({ uri: 'file:///hr/salaries.md' })
    expect((await mail('a3')).isError).toBe(true)
    expect((await mail('a1')).isError).toBeFalsy()
  })

  test('exports are allowed, and what a shadow rule thinks of them is on record', async () => {
    expect((await call('l1', 'crm__export_contacts', { page_size: 5000 })).isError).toBeFalsy()
    expect(JSON.stringify(decisionOf(recordsOf('export_contacts').find(({ type }) => type === 'intent')))).toContain('bulk-export')
    await expect(call('intern-1', 'crm__export_contacts')).rejects.toThrow('unknown tool')
  })
})

describe('engineering', () => {
  test('pushes feature branches, and leaves the others to release managers', async () => {
    expect(textOf(await call('d1', 'git__push', { branch: 'feature/x' }))).toBe('pushed feature/x')
    const denied = await call('d1', 'git__merge_branch', { branch: 'main' })
    expect([denied.isError, textOf(denied)]).toEqual([true, expect.stringContaining('Only feature branches are open')])
    expect(textOf(await call('r1', 'git__merge_branch', { branch: 'main' }))).toBe('merged main')
    expect((await call('r1', 'git__push', { branch: 'main', force: true })).isError).toBe(true)
    expect(textOf(await call('d1', 'git__log'))).toBe('10 commits')
  })

  test('uses secrets in the house; for a partner the tools do not exist', async () => {
    expect((await call('d1', 'vault__read_secret', { name: 'deploy-key' })).isError).toBeFalsy()
    const names = (await clients.get('d2')!.listTools()).tools.map(({ name }) => name)
    expect(names.filter(name => name.startsWith('vault'))).toEqual([])
    await expect(call('d2', 'vault__read_secret', { name: 'x' })).rejects.toThrow('unknown tool')
  })
})

describe('the handbook', () => {
  const read = (id: string, uri: string) => clients.get(id)!.readResource({ uri })

  test('is read by those it is for, and by no detour more than that', async () => {
    expect((await read('a1', 'file:///handbook/support/refunds.md')).contents).toHaveLength(1)
    const hidden = await read('a1', 'file:///handbook/../hr/salaries.md').catch((error: Error) => error.message)
    const absent = await read('a1', 'nothing:///at-all').catch((error: Error) => error.message)
    expect(hidden).toEqual(absent)
    expect((await read('p1', 'file:///hr/salaries.md')).contents).toHaveLength(1)
  })

  test('lends prompts as far as the rules say', async () => {
    const prompts = async (id: string) => (await clients.get(id)!.listPrompts()).prompts.map(({ name }) => name)
    expect(await prompts('a1')).toEqual(['docs__summarise_page'])
    expect(await prompts('x1')).toEqual([])
    const got = await clients.get('a1')!.getPrompt({ name: 'docs__summarise_page', arguments: { page: 'refunds' } })
    expect(got.messages).toHaveLength(1)
    await expect(clients.get('p1')!.getPrompt({ name: 'docs__rewrite_page', arguments: { page: 'x' } })).rejects.toThrow()
  })

  test('asks the model of those who lend it, and of nobody else', async () => {
    expect(textOf(await call('d1', 'docs__ask_model', { question: 'when?' }))).toBe('sampled text')
    const refused = await call('a1', 'docs__ask_model', { question: 'when?' })
    expect([refused.isError, textOf(refused)]).toEqual([true, expect.not.stringContaining('sampled text')])
  })
})

test('anybody may look around, and sees nothing else', async () => {
  expect(textOf(await call('x1', 'everything__echo', { message: 'hi' }))).toContain('hi')
  const names = (await clients.get('x1')!.listTools()).tools.map(({ name }) => name)
  expect(names.toSorted()).toEqual(['everything__echo', 'everything__get-sum'])
})

test('each command of the CI workflow and of the hook is one that there is, and passes', () => {
  const lines = ['policy.yml', 'pre-commit'].flatMap(file => readFileSync(join(at.dir, 'ci', file), 'utf8').split('\n'))
  const commands = lines.flatMap(line => /(?:npx |^)mcpgw (.+?)(?: > \S+)?$/.exec(line)?.[1] ?? [])
  expect(commands).toHaveLength(7)
  for (const command of commands) expect([command, runCli(command.split(' '), at.dir).code]).toEqual([command, 0])
})

test('the bundle is clean, formatted, and its tests cover it', () => {
  expect(runCli(['policy', 'check', 'policies'], at.dir)).toMatchObject({ code: 0 })
  expect(runCli(['policy', 'fmt', '--check', 'policies'], at.dir)).toMatchObject({ code: 0 })
  const tested = runCli(['policy', 'test', 'policies', '--min-coverage', '100'], at.dir)
  expect(tested).toMatchObject({ code: 0, out: expect.stringContaining('100') })
  expect(runCli(['catalog', 'diff'], at.dir)).toMatchObject({ code: 0 })
})
