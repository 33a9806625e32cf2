// An export verifies elsewhere, byte for byte, and goes on where it was stopped.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { readLine } from '../../../plugins/audit/export-line.ts'
import { call, createExchange, runCommand, startGateway } from './gateway.ts'

async function writeLog(calls: number, dir?: string): Promise<string> {
  const gateway = await startGateway(dir === undefined ? {} : { dir })
  for (let i = 0; i < calls; i++) await call(gateway, createExchange())
  await gateway.stop()
  return gateway.dir
}
function storedIn(dir: string): string[] {
  const db = createStores({ dataDir: dir }).open('audit.db', { readOnly: true })
  const bodies = db.prepare('SELECT body FROM record ORDER BY n').all()
  db.close()
  return bodies.map(({ body }) => String(body))
}
const recordsIn = (text: string): string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => readLine(line)!)
    .flatMap(line => (line.kind === 'record' ? [Buffer.from(line.body).toString()] : []))

test('every record is in it as it is stored, and it verifies by the key alone, up to its checkpoint', async () => {
  const dir = await writeLog(5)
  const ran = await runCommand(dir, 'audit export')
  expect(ran.code).toBe(0)
  expect(recordsIn(ran.out)).toEqual(storedIn(dir))
  expect(ran.out).not.toContain('agent-1')
  const notes = ran.out.split('\n').filter(line => line.startsWith('{"checkpoint"'))
  expect(notes.length).toBeGreaterThan(0)
  expect(new Set(notes).size).toBe(notes.length)
  const elsewhere = await writeLog(0)
  writeFileSync(join(elsewhere, 'export.jsonl'), ran.out)
  const key = join(dir, 'audit.db.verifier')
  const args = [join(elsewhere, 'export.jsonl')]
  expect(await runCommand(elsewhere, 'audit verify', { key }, { args })).toMatchObject({ code: 4 })
  expect(await runCommand(elsewhere, 'audit verify', { key, checkpoint: args[0]! }, { args })).toMatchObject({ code: 0 })
  const lines = ran.out.split('\n')
  writeFileSync(join(elsewhere, 'export.jsonl'), lines.toSpliced(4, 1).join('\n'))
  expect(await runCommand(elsewhere, 'audit verify', { key }, { args })).toMatchObject({ code: 1 })
})

test('a file is never written over; with --resume it grows by what is new, and what was half written is written again', async () => {
  const dir = await writeLog(3)
  const out = join(dir, 'export.jsonl')
  expect(await runCommand(dir, 'audit export', { out })).toMatchObject({ code: 0 })
  expect(statSync(out).mode & 0o777).toBe(0o600)
  expect(await runCommand(dir, 'audit export', { out })).toMatchObject({
    code: 3,
    err: `audit export: ${out}: is there already; give another file, or go on with it by --resume\n`,
  })
  await writeLog(2, dir)
  writeFileSync(out, '{"body":"half', { flag: 'a' })
  expect(await runCommand(dir, 'audit export', { out, resume: true })).toMatchObject({ code: 0 })
  expect(recordsIn(readFileSync(out, 'utf8'))).toEqual(storedIn(dir))
  expect(await runCommand(dir, 'audit verify', { checkpoint: out }, { args: [out] })).toMatchObject({ code: 0 })
  expect(await runCommand(dir, 'audit export', { out, resume: true })).toMatchObject({ err: '0 records and 0 signed notes exported\n' })
})

test('a file that became shorter, or belongs to another log, is not gone on with', async () => {
  const [dir, other] = [await writeLog(2), await writeLog(2)]
  const [out, theirs] = [join(dir, 'export.jsonl'), join(other, 'export.jsonl')]
  await runCommand(dir, 'audit export', { out })
  await runCommand(other, 'audit export', { out: theirs })
  expect(await runCommand(dir, 'audit export', { out: theirs, resume: true })).toMatchObject({
    code: 3,
    err: expect.stringContaining('is of another log') as string,
  })
  truncateSync(out, 500)
  expect(await runCommand(dir, 'audit export', { out, resume: true })).toMatchObject({
    code: 3,
    err: expect.stringMatching(/has 500 bytes, and had \d+; export anew/) as string,
  })
  expect(statSync(out).size).toBe(500)
})

const cli = fileURLToPath(new URL('../../../dist/core/cli.js', import.meta.url))

test.skipIf(process.platform !== 'linux' || !existsSync(cli))('a file that cannot take all of it is told, and gone on with', async () => {
  const dir = await writeLog(150)
  const out = join(dir, 'export.jsonl')
  const limited = spawnSync('prlimit', ['--fsize=50000', process.execPath, cli, 'audit', 'export', '--out', out, '--data-dir', dir], {
    cwd: dir,
  })
  expect(String(limited.stderr)).toContain('EFBIG')
  expect(limited.status).toBe(3)
  expect(await runCommand(dir, 'audit export', { out, resume: true })).toMatchObject({ code: 0 })
  expect(recordsIn(readFileSync(out, 'utf8'))).toEqual(storedIn(dir))
})

test('without a state that can be read nothing is resumed, and nothing is lost', async () => {
  const dir = await writeLog(1)
  const out = join(dir, 'export.jsonl')
  expect(await runCommand(dir, 'audit export', { resume: true })).toMatchObject({ code: 2 })
  await runCommand(dir, 'audit export', { out })
  const before = readFileSync(out, 'utf8')
  truncateSync(`${out}.state`, 5)
  expect(await runCommand(dir, 'audit export', { out, resume: true })).toMatchObject({
    code: 3,
    err: expect.stringContaining('does not say how far the export is') as string,
  })
  expect(readFileSync(out, 'utf8')).toBe(before)
})
