// Calls that need an approval: held up until it is given, let through once, and never without it; what callers and operators can do about them.
import {
  type AdminEvent,
  allow,
  definePlugin,
  deny,
  type JsonObject,
  type Obligation,
  type Plugin,
  type Principal,
  pass,
  type StandardSchemaV1,
} from 'mcpgw/plugin'
import { checkPlugin, createFakeClock, createTemporaryStores, type Harness, harness, runCommand } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import approval from '../../../plugins/approval/index.ts'
import redact from '../../../plugins/redact/index.ts'

const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
const by = (need: string, timeout = '15m'): Obligation => ({
  name: 'approval',
  args: [
    { name: 'by', value: need },
    { name: 'timeout', value: timeout },
  ],
})
const MINUTE = 60_000

/** Allows everything under these duties; refuses tools called `late` at the last moment. */
const decider = (duties: readonly Obligation[]): Plugin<object> =>
  definePlugin({
    name: 'decider',
    apiVersion: 1,
    config: anything,
    capabilities: ['decides'],
    setup: () => ({
      onRequest: ({ resource }) => allow(['rule'], resource.kind === 'list' ? [] : duties),
      onSealed: ({ resource }) => (resource.kind === 'call' && resource.tool === 'late' ? deny('denied', 'late') : pass),
    }),
  })

const person = (id: string, roles: readonly string[] = [], tenant = 'acme'): Principal => ({
  id,
  tenant,
  roles,
  claims: {},
  via: { method: 'api-key' },
})
const ann = person('ann')
const fay = person('fay', ['finance'])

interface World extends Harness {
  readonly stores: ReturnType<typeof createTemporaryStores>
  /** The refusal's code; undefined where it was let through. */
  code(args?: JsonObject, who?: Principal, tool?: string): Promise<string | undefined>
  ask(who: Principal | undefined, name: string, input?: JsonObject): Promise<JsonObject & { readonly kind: string }>
  waiting(who?: Principal): Promise<readonly JsonObject[]>
}

async function world(
  duties: readonly Obligation[] = [by('role:finance')],
  config: object = {},
  more: Parameters<typeof harness>[0]['plugins'] = [],
): Promise<World> {
  const stores = createTemporaryStores()
  const made = await harness({ plugins: [{ plugin: approval, config }, decider(duties), ...more], clock: createFakeClock(), stores })
  onTestFinished(async () => {
    await made.stop()
    stores.remove()
  })
  const { operations } = made.kernel
  const ask: World['ask'] = async (who, name, input = {}) => {
    const operation = operations.list().find(one => one.name === name)!
    const exchange = who === undefined ? undefined : (await made.send('ping', { kind: 'plumbing' }, {}, { principal: who })).exchange
    const asker = {
      tenant: who?.tenant,
      actor: who === undefined ? { id: 'cli:root' } : { id: who.id, tenant: who.tenant },
      exchange,
      signal: new AbortController().signal,
    }
    const answer = await operations.perform(operation, input, asker)
    return (answer.kind === 'done' ? { ...answer, value: answer.value.value } : answer) as JsonObject & { readonly kind: string }
  }
  return {
    ...made,
    stores,
    code: async (args = { amount: 900 }, principal = ann, tool = 'refund') =>
      (await made.call('s', tool, args, { principal })).refusal?.code,
    ask,
    waiting: async who => ((await ask(who, 'approvals_list')).value as { requests: JsonObject[] }).requests,
  }
}

test('keeps the promises that every plugin makes', async () => {
  const stores = createTemporaryStores()
  onTestFinished(() => stores.remove())
  expect((await checkPlugin(approval, { stores })).filter(({ ok }) => !ok)).toEqual([])
})

test('a call is held up until it is approved, goes through once, and the server sees nothing of it before', async () => {
  const { call, code, ask, waiting, upstream } = await world()
  const { refusal } = await call('s', 'refund', { amount: 900 }, { principal: ann })
  expect(refusal).toMatchObject({ code: 'approval-pending', retryAfter: 15 })
  expect(refusal?.reason).toMatch(
    /^this call waits for approval by role:finance \(apr_[0-9a-f]{16}\); make the same call again once it is given$/,
  )
  expect(await code()).toBe('approval-pending')
  const [one, ...others] = await waiting(fay)
  expect(others).toEqual([])
  expect(one).toMatchObject({
    principal: 'ann',
    server: 's',
    name: 'refund',
    arguments: { amount: 900 },
    needs: ['role:finance'],
    state: 'waiting',
  })
  expect(upstream.received).toEqual([])
  expect(await ask(fay, 'approvals_approve', { id: one!.id!, because: 'checked' })).toMatchObject({
    kind: 'done',
    value: { state: 'approved' },
  })
  // Neither another amount nor another caller has it.
  expect(await code({ amount: 901 })).toBe('approval-pending')
  expect(await code({ amount: 900 }, person('bob'))).toBe('approval-pending')
  expect(await code()).toBeUndefined()
  expect(upstream.received).toHaveLength(1)
  expect(await code()).toBe('approval-pending')
})

test('of calls that come at once one goes through', async () => {
  const { code, ask, waiting } = await world()
  await code()
  await ask(fay, 'approvals_approve', { id: (await waiting(fay))[0]!.id! })
  const codes = await Promise.all(Array.from({ length: 8 }, () => code()))
  expect(codes.filter(one => one === undefined)).toHaveLength(1)
})

test('two needs are two people, and nobody approves what he asks for', async () => {
  const { code, ask, waiting } = await world([by('role:finance'), by('role:legal', '1h')])
  const both = person('ann', ['finance', 'legal'])
  await code({}, both)
  const [{ id, needs }] = (await waiting(both)) as [JsonObject]
  expect(needs).toEqual(['role:finance', 'role:legal'])
  expect(await ask(both, 'approvals_approve', { id: id! })).toMatchObject({
    kind: 'refused',
    code: 'conflict',
    message: 'nobody approves a call of his own',
  })
  expect(await ask(fay, 'approvals_approve', { id: id! })).toMatchObject({ value: { state: 'waiting' } })
  expect(await ask(fay, 'approvals_approve', { id: id! })).toMatchObject({ kind: 'refused', code: 'conflict' })
  expect(await code({}, both)).toBe('approval-pending')
  expect(await ask(person('leo', ['legal']), 'approvals_approve', { id: id! })).toMatchObject({ value: { state: 'approved' } })
  expect(await code({}, both)).toBeUndefined()
})

test('a request exists for whoever may decide or has asked; elsewhere, and in other tenants, there is none', async () => {
  const { code, ask, waiting } = await world()
  await code()
  const id = (await waiting(ann))[0]!.id!
  for (const who of [person('bob'), person('fay', ['finance'], 'globex'), person('ann', [], 'globex')]) {
    expect(await waiting(who)).toEqual([])
    for (const name of ['approvals_approve', 'approvals_reject'])
      expect(await ask(who, name, { id })).toMatchObject({ kind: 'refused', code: 'not-found', message: 'there is no such request' })
  }
  expect(await waiting(undefined)).toHaveLength(1)
})

test('rejected is rejected for the time of the policy; then it can be asked for again', async () => {
  const { call, code, ask, waiting, clock } = await world()
  await code()
  await clock.advance(5 * MINUTE)
  await ask(fay, 'approvals_reject', { id: (await waiting(fay))[0]!.id!, because: 'not today' })
  expect((await call('s', 'refund', { amount: 900 }, { principal: ann })).refusal).toMatchObject({
    code: 'approval-rejected',
    retryAfter: 900,
  })
  await clock.advance(15 * MINUTE)
  expect(await code()).toBe('approval-pending')
})

test('nobody who answers late approves, and an approval that is not used in time is none', async () => {
  const { code, ask, waiting, clock } = await world()
  await code()
  const late = (await waiting(fay))[0]!.id!
  await clock.advance(15 * MINUTE)
  expect(await waiting(fay)).toEqual([])
  expect(await ask(fay, 'approvals_approve', { id: late })).toMatchObject({
    code: 'conflict',
    message: 'this request does not wait any more',
  })
  await code()
  await ask(fay, 'approvals_approve', { id: (await waiting(fay))[0]!.id! })
  await clock.advance(15 * MINUTE)
  expect(await code()).toBe('approval-pending')
})

test('a call that was refused after all has not used its approval up', async () => {
  const { code, ask, waiting } = await world()
  await code({}, ann, 'late')
  await ask(fay, 'approvals_approve', { id: (await waiting(fay))[0]!.id! })
  expect(await code({}, ann, 'late')).toBe('denied')
  expect(await code({}, ann, 'late')).toBe('denied')
})

test('so many wait for one caller, and others are not held up by him', async () => {
  const { code } = await world([by('role:finance')], { most: 2 })
  expect(await code({ n: 1 })).toBe('approval-pending')
  expect(await code({ n: 2 })).toBe('approval-pending')
  expect(await code({ n: 3 })).toBe('rate-limited')
  expect(await code({ n: 1 })).toBe('approval-pending')
  expect(await code({ n: 3 }, person('bob'))).toBe('approval-pending')
})

test('arguments are shown masked, or not at all', async () => {
  const masked = await world([by('role:finance')], {}, [redact])
  await masked.code({ card: '4111 1111 1111 1111' })
  expect(JSON.stringify(await masked.waiting(fay))).toContain('arguments')
  expect(JSON.stringify(await masked.waiting(fay))).not.toContain('4111 1111 1111 1111')
  const hidden = await world([by('role:finance')], { arguments: 'hidden' })
  await hidden.code({ amount: 1 })
  expect((await hidden.waiting(fay))[0]).not.toHaveProperty('arguments')
})

test('an obligation that cannot be read, and a store that is broken, let nothing through', async () => {
  const odd = await world([{ name: 'approval', args: [{ value: 'finance' }] }])
  expect(await odd.code()).toBe('unmet-obligation')
  const broken = await world()
  const db = broken.stores.open('approvals.db')
  db.exec('DROP TABLE requests')
  db.close()
  expect(await broken.code()).toBe('plugin-failed')
  expect(broken.upstream.received).toEqual([])
})

test('the operator approves on the command line, on record; who asked and who decided is exported, and erased', async () => {
  const { code, waiting, stores, clock } = await world()
  const recorded: AdminEvent[] = []
  const run = (path: readonly string[], args: readonly string[] = [], options: Record<string, string | boolean> = {}) =>
    runCommand(approval as never, path, { args, options, stores, clock, recorded })
  expect(await run(['approvals', 'list'])).toEqual({ code: 0, out: '', err: 'No call waits for approval.\n' })
  await code()
  const id = (await waiting(fay))[0]!.id as string
  const { out } = await run(['approvals', 'list'])
  expect(out).toContain(`${id}  waiting`)
  expect(out).toContain('ann@acme')
  expect((await run(['approvals', 'approve'], ['apr_0'])).code).toBe(3)
  expect(recorded).toEqual([])
  expect((await run(['approvals', 'approve'], [id], { because: 'by phone' })).code).toBe(0)
  expect(recorded).toMatchObject([
    { type: 'approval.approve', detail: { request: id, state: 'approved', because: 'by phone' }, about: { tenant: 'acme', id: 'ann' } },
  ])
  expect(await code()).toBeUndefined()
  expect((await run(['approvals', 'reject'], [id])).code).toBe(3)
  const personal = await approval.personal!()
  const config = { path: 'approvals.db', arguments: 'shown', most: 20, keep: 7 } as const
  const io = { config, stores, clock, log: console as never, operator: { id: 'cli:root' } }
  expect(await personal.export({ id: 'ann', subjects: [] }, io)).toMatchObject([{ id, state: 'used' }])
  expect(await personal.erase({ id: 'ann', tenant: 'globex', subjects: [] }, io)).toEqual({ entries: 0 })
  expect(await personal.erase({ id: 'ann', subjects: [] }, io)).toEqual({ entries: 1 })
  expect(await personal.export({ id: 'ann', subjects: [] }, io)).toBeUndefined()
})

test('what cannot be recorded does not count', async () => {
  const { code, waiting, stores, clock } = await world()
  await code()
  const id = (await waiting(fay))[0]!.id as string
  const broken = { find: () => Promise.reject(new Error('gone')) }
  expect(await runCommand(approval as never, ['approvals', 'approve'], { args: [id], stores, clock, ...broken })).toMatchObject({ code: 3 })
  expect(await code()).toBe('approval-pending')
})
