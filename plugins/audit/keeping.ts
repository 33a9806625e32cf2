// What keeps the log as long as is configured, in a process of its own: what is new goes into files, and then what is too old goes out of the log.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AdminEvent, ApartIo, ApartWork, CommandIo, RecordReader } from 'mcpgw/plugin'
import { exportLog } from './commands/export.ts'
import type { State } from './commands/export-file.ts'
import { pruneLog } from './commands/prune.ts'
import { replaceFile } from './commands/replace-file.ts'
import type { AuditConfig } from './config.ts'
import { runVerb } from './verb-apart.ts'

/** What is asked of the gateway: to put this on record (the answer is whether it is durable), or who reads the record, as of `readers` of the context. */
export type KeepingQuestion = { readonly record: AdminEvent } | 'readers'

/** Resolves to why it could not be done; undefined where it was. The input is the config of the plugin. */
export const work: ApartWork = async io => {
  const config = io.input as AuditConfig
  const { days, folder } = config.retention!
  const dir = io.stores.resolve(folder)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const out = openMonth(dir, new Date(io.clock.now()).toISOString().slice(0, 7))
  const failed = await run(io, config, exportLog, { out, resume: existsSync(out) })
  return failed ?? (await run(io, config, pruneLog, { olderThan: `${days}d`, exported: dir }))
}

/** What it says on stderr with another code than 0 is why it failed; that something must stay, for a hold say, is none, and goes to the log. */
async function run(
  io: ApartIo,
  config: AuditConfig,
  verb: (io: CommandIo<AuditConfig>) => Promise<number>,
  options: CommandIo['options'],
): Promise<string | undefined> {
  const { code, out, err } = await runVerb(io, verb, {
    config,
    options,
    json: false,
    record: async event => (await io.ask({ record: event } satisfies KeepingQuestion)) === true,
    readers: async () => (await io.ask('readers' satisfies KeepingQuestion)) as readonly RecordReader[],
  })
  if (code === 1 && err === '') io.log.info('some of what is too old stays in the audit log', { why: out })
  return code === 0 || err === '' ? undefined : err
}

/**
 * The file of a month; a new one goes on where the newest one before it ended. Whatever an earlier run was killed between: what the older file
 * has behind its end is cut off, for the new one has it, and a file that was begun without saying so is begun anew.
 */
function openMonth(dir: string, month: string): string {
  const path = join(dir, `audit-${month}.jsonl`)
  const isThere = existsSync(path)
  if (isThere && existsSync(`${path}.state`)) return path
  if (isThere && statSync(path).size === 0) rmSync(path)
  const before = readdirSync(dir)
    .filter(name => /^audit-\d{4}-\d\d\.jsonl\.state$/.test(name) && join(dir, name) !== `${path}.state`)
    .sort()
    .at(-1)
  if (before === undefined) return path
  const state = JSON.parse(readFileSync(join(dir, before), 'utf8')) as State
  truncateSync(join(dir, before.slice(0, -'.state'.length)), state.bytes)
  replaceFile(`${path}.state`, `${JSON.stringify({ ...state, bytes: 0, records: 0 })}\n`)
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  return path
}
