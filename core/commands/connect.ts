// `mcpgw connect CLIENT`: points a client at the gateway. The difference is shown, what was there is kept beside it, and --undo puts it back.
import { rm } from 'node:fs/promises'
import { callVerb } from './call-verb.ts'
import { backupOf, diffLines, keepBackup, readWhole, replaceFile } from './clients/replace.ts'
import { type Client, clients, filesOf, KEY_VARIABLE } from './clients/table.ts'
import { httpEntry, isPassing, stdioEntry } from './connect/entry.ts'
import { connectText, keyIn, undoText } from './connect/text.ts'
import { endpointOf } from './endpoint.ts'
import { loadOrStarter } from './starter.ts'
import { textOption, type VerbIo } from './verb.ts'

interface Shown {
  readonly client: string
  readonly file: string
  readonly diff: string
  readonly changed: boolean
  readonly backup?: string
  /** Made for this client; nobody is shown it again. */
  readonly key?: string
}

export async function connect(io: VerbIo): Promise<number> {
  const client = clients.find(({ name }) => name === io.args[0])!
  const file = filesOf(client, io)[0]!
  try {
    const before = await readWhole(file)
    return io.options.undo === true ? await undo(io, client, file, before) : await point(io, client, file, before)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    io.err(`error[cannot-write]: ${error.message}\n`)
    return 3
  }
}

async function point(io: VerbIo, client: Client, file: string, before: string | undefined): Promise<number> {
  // What was there before the gateway: a second time nothing is built upon the first.
  const first = await readWhole(backupOf(file))
  const known = before === undefined ? undefined : undoText(before, first, client)
  const base = known?.isWhole === true ? first : before
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const isPrinted = io.options.print === true
  const isStdio = client.reaches === 'stdio' || io.options.stdio === true
  const url = textOption(io, 'url') ?? endpointOf(loaded.config.listen)
  if (!isStdio && url === undefined) {
    io.err('error[usage]: the port of the config is chosen at each start\n  = help: give `listen` a port, or say --url URL\n')
    return 2
  }
  const asks = loaded.config.plugins.some(({ name }) => name === 'auth')
  const given = textOption(io, 'key') ?? (url === undefined ? undefined : keyIn(before ?? '', client, url))
  // Only where all else holds is a key made.
  const build = (key: string | undefined): string | { readonly problem: string } => {
    const entry = isStdio ? stdioEntry(loaded, io.cwd, client) : httpEntry({ url: url!, ...(key !== undefined && { key }) }, client)
    return connectText(file, base ?? '{}\n', client, entry, { isOnly: io.options.only === true, needsKey: !isStdio && key !== undefined })
  }
  const trial = build(asks ? (given ?? 'YOUR_KEY') : undefined)
  if (typeof trial !== 'string') return refuse(io, trial.problem)
  const isNew = asks && !isStdio && given === undefined && !isPrinted && trial !== before
  const key = isNew ? await makeKey(io, client) : given
  const after = key === undefined ? trial : build(key)
  if (typeof after !== 'string') return refuse(io, after.problem)
  const changed = after !== (before ?? '')
  const diff = diffLines(file, before ?? '', after)
  if (isPrinted || !changed) return tell(io, client, { client: client.name, file, diff, changed: false })
  const backup = base === undefined ? undefined : known === undefined ? await keepBackup(file, base) : first && backupOf(file)
  await replaceFile(file, after)
  return tell(io, client, {
    client: client.name,
    file,
    diff,
    changed,
    ...(backup !== undefined && { backup }),
    ...(isNew && key !== undefined && { key }),
  })
}

/** The consumer is called as the client is, so that the record tells them apart. */
async function makeKey(io: VerbIo, { name, title }: Client): Promise<string> {
  const { said } = await callVerb(io, 'auth', ['keys', 'create'], [title, name, undefined], {})
  return (said as { readonly key: string }).key
}

async function undo(io: VerbIo, client: Client, file: string, before: string | undefined): Promise<number> {
  const backup = await readWhole(backupOf(file))
  const after = before === undefined ? undefined : undoText(before, backup, client)
  if (before === undefined || after === undefined) {
    io.err(`error[not-connected]: ${file} does not name the gateway\n`)
    return 1
  }
  const diff = diffLines(file, before, after.text)
  if (io.options.print === true) return tell(io, client, { client: client.name, file, diff, changed: false })
  if (after.isGone) await rm(file)
  else await replaceFile(file, after.text)
  // What was changed by others meanwhile stays, and so does what was there before it.
  if (after.isWhole) await rm(backupOf(file), { force: true })
  else if (backup !== undefined)
    io.err(`the file was changed meanwhile: only the gateway is taken out; ${backupOf(file)} has what was there\n`)
  return tell(io, client, { client: client.name, file, diff, changed: true })
}

function refuse(io: VerbIo, problem: string): number {
  io.err(`error[client-file]: ${problem}\n  = help: mend the file, or take what --print shows into it\n`)
  return 2
}

function tell(io: VerbIo, client: Client, shown: Shown): number {
  const { file, diff, changed, backup, key } = shown
  if (io.json) {
    io.out(`${JSON.stringify(shown, null, 2)}\n`)
    return 0
  }
  io.out(diff === '' ? `${file} is as it should be\n` : diff)
  if (isPassing()) io.err('mcpgw runs out of the cache of npx, which may be emptied: install it, and connect again\n')
  if (!changed) return 0
  io.err(`\n${io.options.undo === true ? 'undone' : 'wrote'} ${file}\n`)
  if (backup !== undefined) io.err(`kept  ${backup}\n`)
  if (key !== undefined) io.err(`key   ${key}   (shown once)\n`)
  if (key !== undefined && client.key === 'variable') io.err(`      export ${KEY_VARIABLE}=... where ${client.title} starts\n`)
  if (io.options.undo !== true) io.err(`\nNext: ${client.next}; mcpgw connect ${client.name} --undo takes it back\n`)
  else if (client.reaches === 'http') io.err('its key is still good: mcpgw keys list shows it, mcpgw keys revoke ID ends it\n')
  return 0
}
