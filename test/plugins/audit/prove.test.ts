// `audit prove`: a record is proven to stand in a signed log with nothing at hand but the proof and the verifier.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import type { InclusionProof } from '../../../plugins/audit/inclusion.ts'
import { call, createExchange, type Ran, readRows, runCommand, startGateway, tempDir } from './gateway.ts'

let dir: string
let id: string
beforeAll(async () => {
  dir = tempDir()
  const gateway = await startGateway({ dir, config: { checkpoints: { records: 7 } } })
  for (let i = 0; i < 9; i++) {
    const x = createExchange()
    id = x.id
    await call(gateway, x)
  }
  await gateway.stop()
})

const prove = async (what: string): Promise<string> => {
  const ran = await runCommand(dir, 'audit prove', {}, { args: [what] })
  expect(ran).toMatchObject({ code: 0, err: '' })
  return ran.out
}
/** Somewhere else, with the verifier only. */
function check(proof: string): Promise<Ran> {
  const away = tempDir()
  writeFileSync(join(away, 'proof.json'), proof)
  writeFileSync(join(away, 'verifier'), readFileSync(join(dir, 'audit.db.verifier')))
  return runCommand(away, 'audit prove', { check: 'proof.json', key: 'verifier' })
}

test('every record has a proof, and it holds away from the log', async () => {
  const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
  const records = db.prepare('SELECT stream, seq, body FROM record ORDER BY n').all()
  db.close()
  for (const { stream, seq, body } of records) {
    const ran = await check(await prove(`${String(stream)}:${String(seq)}`))
    expect([seq, ran.code, ran.out.split('\n')[1]]).toEqual([seq, 0, String(body)])
  }
})

test('a call is proven by its last record', async () => {
  const { stream, seq } = JSON.parse(await prove(id)) as InclusionProof
  const row = readRows(dir).find(one => one.stream === stream && one.seq === seq)
  expect(row).toMatchObject({ call: id, type: 'outcome' })
})

test('whatever is changed in a proof, it does not hold any more', async () => {
  const proof = JSON.parse(await prove(id)) as InclusionProof
  const other = JSON.parse(await prove(`${proof.stream}:3`)) as InclusionProof
  const body = Buffer.from(proof.body, 'base64').toString()
  const changes: Partial<Record<keyof InclusionProof, unknown>>[] = [
    { seq: proof.seq - 1 },
    { size: proof.size + 1 },
    { stream: 'other' },
    { body: Buffer.from(body.replace('answered', 'tool-err')).toString('base64') },
    { body: other.body },
    { path: proof.path.slice(1) },
    { path: proof.path.toReversed() },
    { note: proof.note.replace(/\nat \d/, '\nat 9') },
    { note: other.note },
    { version: 2 },
  ]
  for (const change of changes) {
    const ran = await check(JSON.stringify({ ...proof, ...change }))
    expect([Object.keys(change), ran.code, ran.out.slice(0, 10)]).toEqual([Object.keys(change), 1, 'NOT PROVEN'])
  }
})

test('what does not exist, or is not covered yet, has no proof', async () => {
  expect(await runCommand(dir, 'audit prove', {}, { args: ['gw.none:1'] })).toMatchObject({ code: 1, out: '' })
  const gateway = await startGateway({ dir })
  const x = createExchange()
  await call(gateway, x)
  expect(await runCommand(dir, 'audit prove', {}, { args: [x.id] })).toMatchObject({
    code: 1,
    err: expect.stringContaining('no checkpoint covers') as string,
  })
  await gateway.stop()
})
