// What the operations on the log are answered from, in a process of its own: the verbs of the command line, and of what they give only what the caller may see.
import type { AdminEvent, ApartIo, ApartWork, CommandIo, JsonObject } from 'mcpgw/plugin'
import { showLog } from './commands/log.ts'
import { showStats } from './commands/stats.ts'
import { verifyLog } from './commands/verify.ts'
import type { AuditConfig } from './config.ts'
import { readMasterKey } from './master-key.ts'
import { createCursorSeal } from './sealed-cursor.ts'
import { masterKeyPath } from './store/open.ts'
import { runVerb } from './verb-apart.ts'

export interface Reading {
  readonly verb: 'log' | 'stats' | 'verify'
  readonly config: AuditConfig
  readonly options: CommandIo['options']
  /** Whether it is for somebody who sees all tenants. */
  readonly whole: boolean
  /** With arguments and results. */
  readonly contents: boolean
}
/** What is asked of the gateway: to put this on record; the answer is whether it is durable. */
export interface ReadingQuestion {
  readonly record: AdminEvent
}
/** `why`: for the log of the gateway. */
export interface ReadingAnswer {
  readonly code: number
  readonly document: JsonObject | undefined
  readonly why: string
}

const VERBS = { log: showLog, stats: showStats, verify: verifyLog }
const CONTENTS = ['args', 'inputs', 'result'].flatMap(label => [label, `${label}Preview`, `${label}Truncated`])
/** Where a record stands tells how many others there are. */
const PLACE = ['id', 'stream', 'seq', 'mono', 'prev', 'hash']

export const work: ApartWork = async io => {
  const { verb, config, options, whole, contents } = io.input as Reading
  const cursors = createCursorSeal(readMasterKey(masterKeyPath(io.stores, config)))
  const after = typeof options.after === 'string' && options.after !== 'start' ? cursors.open(options.after) : options.after
  const { code, out, err } = await runVerb(io, VERBS[verb], {
    config,
    options: options.after === undefined ? options : { ...options, after: after ?? '' },
    json: true,
    record: event => put(io, event),
    readers: async () => [],
  })
  const document = out === '' ? undefined : (JSON.parse(out) as JsonObject)
  if (document === undefined || verb === 'stats') return { code, document, why: err } satisfies ReadingAnswer
  if (verb === 'verify') return { code, document: whole ? document : verdictOf(document), why: err } satisfies ReadingAnswer
  const { records, next } = document as { readonly records: readonly JsonObject[]; readonly next?: string }
  const dropped = new Set([...(contents ? [] : CONTENTS), ...(whole ? [] : PLACE)])
  const shown = records.map(record => Object.fromEntries(Object.entries(record).filter(([name]) => !dropped.has(name))))
  return { code, document: { records: shown, ...(next !== undefined && { next: cursors.seal(next) }) }, why: err } satisfies ReadingAnswer
}

async function put(io: ApartIo, record: AdminEvent): Promise<boolean> {
  return (await io.ask({ record } satisfies ReadingQuestion)) === true
}

/** How much there is, and where something is wrong, is of all tenants. */
function verdictOf({ verdict, completeness, upTo }: JsonObject): JsonObject {
  return { verdict: verdict!, completeness: completeness!, upTo: upTo! }
}
