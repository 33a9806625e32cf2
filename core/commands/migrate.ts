// `mcpgw migrate`: brings up to date what plugins, and the gateway itself, keep in PostgreSQL, by the role that owns it, for gateways whose role may not.
import { authOf, type GatewayConfig } from '../config/schema.ts'
import { tables as userTokens } from '../credentials/shared-shelf.ts'
import { tables as kills } from '../kill/store.ts'
import { loadPlugin } from '../loader.ts'
import { createLog } from '../log.ts'
import { type Migrations, type Postgres, printable } from '../plugin/index.ts'
import { tables as registrations } from '../registry/store.ts'
import { renderFindings } from './render-findings.ts'
import { loadOrStarter } from './starter.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'

/** `plugin` names the gateway's own beside those of plugins. */
interface Keeper {
  readonly plugin: string
  readonly tables: Migrations
}

/** 0 where every schema is up to date afterwards (`--dry-run`: could be told), 3 where one is not; each is tried. */
export async function migrate(io: VerbIo): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const results = await Promise.all(loaded.config.plugins.map(entry => loadPlugin(entry, io.cwd)))
  const findings = results.flatMap(one => (one.kind === 'refused' ? one.findings : []))
  if (findings.length > 0) {
    io.err(renderFindings(findings, loaded, io.color.err))
    return 2
  }
  const all = [...results.flatMap(one => (one.kind === 'loaded' ? [one.checked.plugin] : [])), ...ownKeepers(loaded.config)]
  const wanted = (io.args[0] ?? []) as readonly string[]
  const absent = wanted.find(name => !all.some(plugin => plugin.name === name && plugin.tables !== undefined))
  if (absent !== undefined) return refuse(io, `the config names no plugin ${JSON.stringify(absent)} that keeps tables in a database`)
  const keepers = all.flatMap(({ name, tables }): Keeper[] =>
    tables === undefined || (wanted.length > 0 && !wanted.includes(name)) ? [] : [{ plugin: name, tables }],
  )
  if (io.options.sql === true) return printSql(io, keepers)
  const log = createLog({ level: 'warn', write: line => io.err(line) })
  const database = (await openStores(loaded.config.store, log)).postgres()
  if (database === undefined)
    return refuse(io, 'the config names no database (store.url); the tables of a file are made by the gateway itself')
  try {
    return await bringUp(io, database, keepers)
  } finally {
    await database.close()
  }
}

/** What operators kill and register, and what users give for servers. */
function ownKeepers({ servers, registration }: GatewayConfig): readonly { readonly name: string; readonly tables?: Migrations }[] {
  const ofUsers = servers.some(server => authOf(server)?.user !== undefined)
  const registered = registration === undefined ? [] : [{ name: 'registration', tables: registrations }]
  return [{ name: 'kill', tables: kills }, ...registered, ...(ofUsers ? [{ name: 'credentials', tables: userTokens }] : [])]
}

async function bringUp(io: VerbIo, database: Postgres, keepers: readonly Keeper[]): Promise<number> {
  const dryRun = io.options.dryRun === true
  const done: object[] = []
  let failed = false
  for (const { plugin, tables } of keepers) {
    try {
      const { from, to } = await database.migrate(tables, dryRun ? 'plan' : 'apply')
      done.push({ plugin, schema: tables.schema, from, to })
      const what =
        from === to
          ? `tables are of version ${to} already`
          : `tables ${dryRun ? 'would be brought' : 'brought'} from version ${from} to ${to}`
      if (!io.json) io.out(`${plugin}: ${what} (schema ${tables.schema})\n`)
    } catch (error) {
      failed = true
      const { message } = error as Error
      done.push({ plugin, schema: tables.schema, error: message })
      io.err(`error[migrate]: ${plugin}: ${printable(message)}\n`)
    }
  }
  if (io.json) io.out(`${JSON.stringify({ database: database.name, dryRun, plugins: done }, null, 2)}\n`)
  else io.err(keepers.length === 0 ? 'no plugin of the config keeps tables in a database\n' : `\nin ${database.name}\n`)
  return failed ? 3 : 0
}

/** Each plugin in a transaction of its own, as `migrate` itself does it. */
async function printSql(io: VerbIo, keepers: readonly Keeper[]): Promise<number> {
  const { readSteps } = await import('../store/index.ts')
  const found = await Promise.all(
    keepers.map(async ({ plugin, tables }) => ({ plugin, schema: tables.schema, steps: await readSteps(tables) })),
  )
  if (io.json) io.out(`${JSON.stringify({ plugins: found }, null, 2)}\n`)
  else
    for (const { plugin, schema, steps } of found)
      io.out([`-- ${plugin}: schema ${schema}`, 'BEGIN;', ...steps.map(endStatement), 'COMMIT;\n'].join('\n'))
  return 0
}

// The last statement of a text needs no semicolon where it runs by itself; a comment may stand behind it.
const endStatement = (step: string): string => (step.trimEnd().endsWith(';') ? step.trimEnd() : `${step.trimEnd()}\n;`)

function refuse(io: VerbIo, why: string): number {
  io.err(`error[migrate]: ${why}\n`)
  return 2
}
