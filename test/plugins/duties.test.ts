// Duties of an allow, carried out by the plugins that come with the gateway: what a rule asks for is done, or nothing goes through.
import { allow, definePlugin, type JsonObject, type Obligation, type Plugin, type StandardSchemaV1 } from 'mcpgw/plugin'
import { createFakeClock, createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import audit from '../../plugins/audit/index.ts'
import { readMasterKey } from '../../plugins/audit/master-key.ts'
import { createOpener } from '../../plugins/audit/opened.ts'
import type { StoredRecord, SubjectRow } from '../../plugins/audit/store/log-store.ts'
import { deriveKeys } from '../../plugins/audit/subjects.ts'
import ratelimit from '../../plugins/ratelimit/index.ts'
import redact from '../../plugins/redact/index.ts'

const anything: StandardSchemaV1<unknown, object> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as object }) },
}
function decider(duties: readonly Obligation[]): Plugin<object> {
  return definePlugin({
    name: 'decider',
    apiVersion: 1,
    config: anything,
    capabilities: ['decides'],
    setup: () => ({ onRequest: () => allow(['rule'], duties) }),
  })
}
const duty = (name: string, ...values: readonly string[]): Obligation => ({ name, args: values.map(value => ({ value })) })

interface World extends Harness {
  records(): readonly JsonObject[]
}
async function world(duties: readonly Obligation[], content?: string): Promise<World> {
  const stores = createTemporaryStores()
  const made = await harness({
    plugins: [
      { plugin: audit, config: { durability: 'os', ...(content !== undefined && { content }) } },
      ratelimit,
      decider(duties),
      redact,
    ],
    clock: createFakeClock(),
    stores,
  })
  onTestFinished(async () => {
    await made.stop()
    stores.remove()
  })
  return {
    ...made,
    records() {
      const db = stores.open('audit.db', { readOnly: true })
      const rows = db.prepare('SELECT *, CAST(body AS BLOB) AS body FROM record ORDER BY n').all() as unknown as StoredRecord[]
      const subjects = db.prepare('SELECT * FROM subject').all() as unknown as SubjectRow[]
      db.close()
      const open = createOpener(deriveKeys(readMasterKey(stores.resolve('audit.db.key'))), subjects)
      return rows.map(row => open(row) as unknown as JsonObject)
    },
  }
}
const found = { structuredContent: { name: 'Ada', ssn: 'x-1', cards: [{ number: 'n-1', kind: 'a' }] }, content: [] }
const ofType = (records: readonly JsonObject[], type: string): JsonObject | undefined => records.find(one => one.type === type)

describe('redact', () => {
  test('members that the rule names are masked on both ways, and in the record', async () => {
    const made = await world([duty('redact', '$.ssn', '$.cards[*].number'), duty('log', 'full')])
    made.upstream.on('crm/get', () => found)
    const { value } = await made.call('crm', 'get', { ssn: 'x-1', id: 'c-1' })
    expect(JSON.stringify(value)).not.toMatch(/x-1|n-1/)
    expect(value).toMatchObject({ structuredContent: { name: 'Ada', cards: [{ kind: 'a' }] } })
    const [sent] = made.upstream.received
    expect(sent?.params.text).not.toContain('x-1')
    expect(sent?.params.text).toContain('c-1')
    const text = JSON.stringify(made.records())
    expect(text).not.toMatch(/x-1|n-1/)
    expect(text).toContain('Ada')
  })

  test('one that cannot be carried out lets nothing through', async () => {
    for (const wrong of [duty('redact', 'no path'), duty('redact')]) {
      const made = await world([wrong])
      expect((await made.call('crm', 'get', { ssn: 'x-1' })).refusal?.code).toBe('unmet-obligation')
      expect(made.upstream.received).toEqual([])
    }
  })

  test('one that fails on the answer withholds it, and the caller learns that the call was made', async () => {
    const failing = definePlugin({
      name: 'failing',
      apiVersion: 1,
      config: anything,
      capabilities: ['masks'],
      discharges: ['redact'],
      setup: () => ({
        discharge(_, stage) {
          if (stage.at === 'answer') throw new Error('no')
          return { kind: 'pass' }
        },
      }),
    })
    const made = await harness({ plugins: [decider([duty('redact', '$.ssn')]), failing] })
    onTestFinished(async () => void (await made.stop()))
    made.upstream.on('crm/get', () => found)
    const { value, outcome } = await made.call('crm', 'get')
    expect(outcome).toMatchObject({ kind: 'failed', cause: 'withheld' })
    expect(JSON.stringify(value)).not.toContain('x-1')
    expect(made.upstream.received).toHaveLength(1)
  })
})

describe('log', () => {
  const record = async (content: string | undefined, ...level: readonly string[]) => {
    const made = await world(
      level.map(one => duty('log', one)),
      content,
    )
    made.upstream.on('crm/get', () => ({ ...found, content: [{ type: 'text', text: 'card 4111 1111 1111 1111' }] }))
    await made.call('crm', 'get', { card: '4111 1111 1111 1111', id: 'c-1' })
    const records = made.records()
    expect(JSON.stringify(records)).not.toContain('4111 1111')
    return { args: ofType(records, 'intent')?.args !== undefined, result: ofType(records, 'outcome')?.result !== undefined }
  }

  test('the rule may ask for more than the config, never for less', async () => {
    expect(await record(undefined)).toEqual({ args: true, result: false })
    expect(await record(undefined, 'meta')).toEqual({ args: true, result: false })
    expect(await record(undefined, 'full')).toEqual({ args: true, result: true })
    expect(await record('meta')).toEqual({ args: false, result: false })
    expect(await record('meta', 'args')).toEqual({ args: true, result: false })
    expect(await record('meta', 'args', 'full', 'meta')).toEqual({ args: true, result: true })
    expect(await record('full', 'meta')).toEqual({ args: true, result: true })
  })

  test('a result is kept as the caller got it, bounded', async () => {
    const made = await world([duty('log', 'full')])
    made.upstream.on('crm/get', () => ({ content: [{ type: 'text', text: 'x'.repeat(100_000) }] }))
    await made.call('crm', 'get')
    const outcome = ofType(made.records(), 'outcome')
    expect(outcome).toMatchObject({ resultTruncated: true, resultPreview: expect.stringContaining('xxx') })
    expect(outcome?.result).toBeUndefined()
  })

  test('an unknown level is an unmet obligation', async () => {
    for (const wrong of [duty('log', 'all'), duty('log'), duty('log', 'args', 'full')]) {
      const made = await world([wrong])
      expect((await made.call('crm', 'get')).refusal?.code).toBe('unmet-obligation')
      expect(made.upstream.received).toEqual([])
    }
  })
})

test('a refusal of a limit is on record, with what it was in the detail', async () => {
  const made = await world([{ name: 'limit', args: [{ value: 1 }, { name: 'per', value: '1h' }] }])
  await made.call('crm', 'get')
  await made.call('crm', 'get')
  expect(ofType(made.records(), 'refusal')).toMatchObject({
    decision: { outcome: 'deny', rules: ['ratelimit'], code: 'rate-limited' },
    detail: 'limit 1 per 3600s by principal',
  })
})
