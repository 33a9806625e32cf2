// `privacy export`: all that is stored about somebody, as GDPR article 15 asks for it; of others in these records there are pseudonyms only.
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Person, printable } from 'mcpgw/plugin'
import { type Body, createOpener, type OpenRecord } from '../opened.ts'
import { findPerson, type Sighting, type Sought } from '../people.ts'
import type { StoredRecord } from '../store/log-store.ts'
import { exportRows } from './export-csv.ts'
import type { Form } from './export-file.ts'
import { describeForeign, type Io, masterKeys, readSought } from './privacy.ts'
import { openLog, type StoredLog } from './read.ts'

const ALL = { since: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER }

export async function exportPerson(io: Io): Promise<number> {
  const sought = readSought(io)
  const { format, out } = io.options
  const isKnown = format === 'json' || format === 'csv'
  if (typeof sought === 'string' || !isKnown) {
    io.err(`privacy export: ${typeof sought === 'string' ? sought : '--format: expected json or csv'}\n`)
    return 2
  }
  let log: StoredLog | undefined
  let file: FileHandle | undefined
  try {
    const keys = masterKeys(io)
    log = await openLog(io, 'privacy export')
    const found = findPerson(keys, await log.reader.subjects(), sought)
    const opener = createOpener(
      keys,
      found.known.map(({ row }) => row),
    )
    if (typeof out === 'string') file = await create(resolve(io.cwd, out))
    const form = format === 'csv' ? await rowsOf(io, log, opener, found) : await documentOf(io, sought, opener, found)
    await write(io, log, file, form)
    if (found.foreign > 0) io.err(`privacy export: ${describeForeign(found.foreign)}\n`)
    return io.signal.aborted || found.foreign > 0 ? 3 : 0
  } catch (error) {
    io.err(`privacy export: ${printable((error as Error).message)}\n`)
    return 3
  } finally {
    await file?.close()
    await log?.close()
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${path}: is there already; give another file`)
  }
}

async function write(
  io: Io,
  { reader }: StoredLog,
  file: FileHandle | undefined,
  form: Pick<Form, 'head' | 'write' | 'tail'>,
): Promise<void> {
  const give = async (text: string): Promise<void> => {
    if (text === '') return
    if (file === undefined) io.out(text)
    else await file.writeFile(text)
  }
  await give(form.head)
  for await (const { records } of reader.forward(io.signal)) await give(form.write(records))
  await give(form.tail)
  await file?.datasync()
}

/** Records that name one of the pseudonyms: those of who did it, those about them, and those of who looked for them. */
function isAbout({ known }: Sighting): (record: StoredRecord) => boolean {
  const ids = known.map(({ subject }) => Buffer.from(subject))
  return ({ body }) => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
    return ids.some(id => bytes.includes(id))
  }
}

function rowsOf(io: Io, { reader }: StoredLog, opener: OpenRecord, found: Sighting): Promise<Form> {
  return exportRows({ io: { ...io, options: {} }, reader, open: opener, range: ALL, contents: true, only: isAbout(found) })
}

async function documentOf(io: Io, sought: Sought, opener: OpenRecord, found: Sighting): Promise<Pick<Form, 'head' | 'write' | 'tail'>> {
  const person: Person = { ...sought, subjects: found.known.map(({ subject }) => subject) }
  const plugins: Record<string, unknown> = {}
  for (const holder of await io.personal()) {
    const kept = await holder.export(person)
    if (kept !== undefined) plugins[holder.plugin] = kept
  }
  const about = {
    privacyExport: 1,
    madeAt: new Date(io.clock.now()).toISOString(),
    id: sought.id,
    tenant: sought.tenant ?? null,
    pseudonyms: found.known.map(({ subject, tenant }) => ({ subject, tenant })),
    plugins,
  }
  const isWanted = isAbout(found)
  let comma = ''
  const line = (record: StoredRecord): string => {
    const body: Body = opener(record) ?? {}
    const text = `${comma}\n${JSON.stringify({ id: `${record.stream}:${record.seq}`, time: new Date(record.at).toISOString(), ...body })}`
    comma = ','
    return text
  }
  return {
    head: `${JSON.stringify(about, null, 2).slice(0, -2)},\n  "records": [`,
    write: records => records.filter(isWanted).map(line).join(''),
    tail: '\n]}\n',
  }
}
