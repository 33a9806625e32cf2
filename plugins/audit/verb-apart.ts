// Runs a verb of the command line in a process of its own: what it says is gathered, and what it does goes on record by the gateway.
import type { ApartIo, CommandIo, RecordReader } from 'mcpgw/plugin'
import type { AuditConfig } from './config.ts'

export interface Asked {
  readonly config: AuditConfig
  readonly options: CommandIo['options']
  readonly json: boolean
  readonly record: CommandIo['record']
  readers(): Promise<readonly RecordReader[]>
}

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function runVerb(
  { stores, clock, log, signal }: ApartIo,
  verb: (io: CommandIo<AuditConfig>) => Promise<number>,
  { config, options, json, record, readers }: Asked,
): Promise<Said> {
  let [out, err] = ['', '']
  const code = await verb({
    args: [],
    options,
    json,
    config,
    stores,
    clock,
    log,
    cwd: stores.resolve('.'),
    operator: { id: 'system' },
    signal,
    interactive: false,
    color: false,
    out(text) {
      out += `${text.trim()}\n`
    },
    err(text) {
      err += text
    },
    record,
    find: async () => undefined,
    personal: async () => [],
    readers,
    inspect: async () => ({ failed: 'this is no command' }),
  })
  return { code, out: out.trim(), err: err.trim() }
}
