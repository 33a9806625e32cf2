// `audit export --format csv`: what people look at in a spreadsheet; chosen, opened, and gone on with as the exact export is.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseCsv } from '../../core/plugin/csv-text.ts'
import { agent, call, createExchange, payload, type Ran, refused, result, runCommand, startGateway, tempDir } from './gateway.ts'

let dir: string
beforeAll(async () => {
  dir = tempDir()
  const gateway = await startGateway({ dir, config: { content: 'full' } })
  await call(
    gateway,
    createExchange({ args: payload({ query: 'in confidence' }) }),
    result({ content: [{ type: 'text', text: 'told, to one' }] }),
  )
  await call(gateway, createExchange({ resource: { kind: 'call', server: 'shell', tool: '=cmd|calc' } }), result({ isError: true }))
  await gateway.hooks.onSettled!(createExchange({ principal: { ...agent, id: '@SUM(1)\n\u202e' } }), { kind: 'denied', decision: refused })
  await gateway.hooks.onSealed!(createExchange({ resource: { kind: 'call', server: 'files', tool: 'pending' } }))
  return () => gateway.stop()
})

type Row = Readonly<Record<string, string>>
const table = (text: string): Row[] => {
  const [head, ...rows] = parseCsv(text)
  return rows.map(row => {
    expect(row).toHaveLength(head!.length)
    return Object.fromEntries(row.map((cell, i) => [head![i]!, cell]))
  })
}
const exported = async (options: Record<string, string | boolean> = {}): Promise<Row[]> => {
  const ran = await runCommand(dir, 'audit export', { format: 'csv', ...options })
  expect(ran.code).toBe(0)
  return table(ran.out)
}

test('each record is a row, oldest first, under columns that do not change', async () => {
  const ran = await runCommand(dir, 'audit export', { format: 'csv' })
  expect(ran.out.split('\r\n')[0]).toBe(
    'id,at,type,call,status,decision,rules,code,reason,tenant,consumer,subject,client,source_ip,transport,protocol_version,action,server,target,' +
      'count,duration_ms,upstream_ms,args_bytes,args_digest,result_bytes,result_digest,redactions,success,detail,hash',
  )
  const rows = table(ran.out).filter(row => row.type !== 'audit.checkpoint')
  expect(rows.map(row => row.type)).toEqual([
    'stream.start',
    'gateway.start',
    'intent',
    'outcome',
    'intent',
    'outcome',
    'refusal',
    'intent',
  ])
  expect(rows[2]).toMatchObject({
    status: 'open',
    decision: 'allow',
    consumer: 'agent-1',
    tenant: 'acme',
    client: 'inspector 1',
    source_ip: '127.0.0.1',
  })
  expect(rows[3]).toMatchObject({ status: 'answered', server: 'files', target: 'read', count: '1' })
  expect(rows[6]).toMatchObject({ status: 'refused', decision: 'deny', code: 'denied', reason: 'not for you', rules: 'policy/no-secrets' })
  const { records } = JSON.parse((await runCommand(dir, 'audit log', { json: true, all: true })).out) as {
    records: { id: string; hash: string }[]
  }
  expect(table(ran.out).map(({ id, hash }) => ({ id, hash }))).toEqual(records.map(({ id, hash }) => ({ id, hash })))
})

test('no cell of it is a formula, and none has what a terminal acts on', async () => {
  const rows = await exported({ contents: true })
  expect(rows.map(row => row.target)).toContain("'=cmd|calc")
  expect(rows.map(row => row.consumer)).toContain("'@SUM(1)\\u{a}\\u{202e}")
  for (const row of rows) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r]|[\n\u202e]/)
})

test('what was said is in it where it is asked for only', async () => {
  const plain = (await runCommand(dir, 'audit export', { format: 'csv' })).out
  for (const secret of ['in confidence', 'told, to one']) expect(plain).not.toContain(secret)
  const rows = await exported({ contents: true, tool: 'read' })
  expect(JSON.parse(rows[0]!.args!)).toEqual({ query: 'in confidence' })
  expect(JSON.parse(rows[1]!.result!)).toEqual({ content: [{ type: 'text', text: 'told, to one' }] })
})

test.each([
  [{ consumer: 'agent-1', server: 'shell' }, ['intent', 'outcome']],
  [{ status: 'tool-error' }, ['outcome']],
  [{ status: 'open' }, ['intent']],
  [{ decision: 'deny' }, ['refusal']],
  [{ tool: 'pending' }, ['intent']],
  [{ until: '2001-01-01' }, []],
] as const)('chosen by %j', async (options, types) => {
  expect((await exported(options)).map(row => row.type)).toEqual(types)
})

test('names stay sealed where the key is not', async () => {
  const away = tempDir()
  writeFileSync(join(away, 'audit.db'), readFileSync(join(dir, 'audit.db')))
  writeFileSync(join(away, 'audit.db-wal'), readFileSync(join(dir, 'audit.db-wal')))
  const ran = await runCommand(away, 'audit export', { format: 'csv', tool: 'read' })
  expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('stay sealed') as string })
  for (const row of table(ran.out))
    expect(row).toMatchObject({ consumer: '', source_ip: '', subject: expect.stringMatching(/./) as string })
})

const run = (options: Record<string, string | boolean>): Promise<Ran> => runCommand(dir, 'audit export', options)

test('the exact export takes no filters, and says what does', async () => {
  for (const option of ['consumer', 'tool', 'status', 'since'])
    expect(await run({ [option]: '2h' })).toMatchObject({
      code: 2,
      out: '',
      err: `audit export: --${option}: JSONL is the whole log, or it would not verify; choose with --format csv, or with audit log --json\n`,
    })
  expect(await run({ contents: true, format: 'jsonl' })).toMatchObject({ code: 2 })
  expect(await run({ format: 'xml' })).toMatchObject({ code: 2, err: 'audit export: --format: expected jsonl or csv\n' })
  expect(await run({ format: 'csv', since: 'yesterday' })).toMatchObject({
    code: 2,
    err: expect.stringContaining('--since: expected') as string,
  })
})

test('a file goes on with what is new of what it was begun with, whatever was cut off behind it', async () => {
  const own = tempDir()
  const out = join(own, 'calls.csv')
  const go = (options: Record<string, string | boolean>): Promise<Ran> => runCommand(own, 'audit export', { out, ...options })
  const write = async (): Promise<void> => {
    const gateway = await startGateway({ dir: own })
    await call(gateway, createExchange())
    await call(gateway, createExchange({ resource: { kind: 'call', server: 'shell', tool: 'run' } }))
    await gateway.stop()
  }
  await write()
  expect(await go({ format: 'csv', server: 'shell', since: '1h' })).toMatchObject({ code: 0 })
  await write()
  writeFileSync(out, 'cut off,"', { flag: 'a' })
  for (const options of [{ format: 'jsonl' }, { format: 'csv', server: 'files' }, { decision: 'deny' }])
    expect(await go({ resume: true, ...options })).toMatchObject({
      code: 3,
      err: expect.stringContaining('go on with it as it was') as string,
    })
  expect(await go({ resume: true })).toMatchObject({ code: 0 })
  expect(table(readFileSync(out, 'utf8')).map(row => row.type)).toEqual(['intent', 'outcome', 'intent', 'outcome'])
  expect(await go({ resume: true, format: 'csv', server: 'shell', since: '1h' })).toMatchObject({
    code: 0,
    err: '0 of 0 records exported\n',
  })
})
