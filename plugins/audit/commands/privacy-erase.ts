// `privacy erase`: deletes the keys that what is stored about somebody is sealed with, and what other plugins keep about them. Exit 1 where a hold is on it.
import { hash } from 'node:crypto'
import { type Erased, type Person, printable } from 'mcpgw/plugin'
import { describeHold, holdOn } from '../holds.ts'
import { findPerson, type Sought } from '../people.ts'
import type { Hold, LogReader, LogStore, Retention, SubjectRow } from '../store/log-store.ts'
import { openStore } from '../store/open.ts'
import type { Keys } from '../subjects.ts'
import { WAIT_MS, wait } from '../unused-keys.ts'
import { nameOf } from './exports.ts'
import { describeForeign, type Io, masterKeys, readSought } from './privacy.ts'

/** Whoever goes on calling is seen anew meanwhile; the last one is who calls after the erasure. */
const ROUNDS = 3

export async function erasePerson(io: Io): Promise<number> {
  const sought = readSought(io)
  if (typeof sought === 'string') return refuse(io, 2, sought)
  const isDry = io.options.dryRun === true
  const { reason } = io.options
  if (!isDry && (typeof reason !== 'string' || reason === ''))
    return refuse(io, 2, '--reason: expected why, such as the number of the request')
  if (typeof reason === 'string' && reason.includes(sought.id))
    return refuse(io, 2, '--reason: is recorded for good, so it must not say who it is')
  if (!isDry && io.options.yes !== true) return refuse(io, 2, 'expected --yes, for it cannot be undone, or --dry-run')
  const store = openStore(io.stores, io.config)
  try {
    return isDry ? await plan(io, store, sought) : await erase(io, store, sought, String(reason))
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  } finally {
    await store.close()
  }
}

function refuse(io: Io, code: number, why: string): number {
  io.err(`privacy erase: ${printable(why)}\n`)
  return code
}

const held = (io: Io, hold: Hold): number => refuse(io, 1, `nothing is erased: ${describeHold(hold)}`)

async function plan(io: Io, store: LogStore, sought: Sought): Promise<number> {
  const reader = await store.reader()
  try {
    const hold = holdOn(await reader.holds(), sought)
    if (hold !== undefined) return held(io, hold)
    const { known, foreign } = findPerson(masterKeys(io), await reader.subjects(), sought)
    const person: Person = { ...sought, subjects: known.map(({ subject }) => subject) }
    const plugins: string[] = []
    for (const holder of await io.personal()) if ((await holder.export(person)) !== undefined) plugins.push(holder.plugin)
    const left = [...(foreign === 0 ? [] : [describeForeign(foreign)]), ...(known.length === 0 ? [] : sentBy(io))]
    return tell(io, { dryRun: true, subjects: person.subjects, plugins, left })
  } finally {
    await reader.close()
  }
}

async function erase(io: Io, store: LogStore, sought: Sought, reason: string): Promise<number> {
  const keys = masterKeys(io)
  const holders = await io.personal()
  // From here on nobody adds a hold.
  const retention = await store.retention()
  try {
    const reader = await store.reader()
    try {
      const hold = holdOn(await reader.holds(), sought)
      if (hold !== undefined) return held(io, hold)
      const { known, foreign } = findPerson(keys, await reader.subjects(), sought)
      const person: Person = { ...sought, subjects: known.map(({ subject }) => subject) }
      if (!(await io.record({ type: 'erasure', detail: { stage: 'begin', subjects: person.subjects, reason } })))
        return refuse(io, 3, 'nothing is erased, for it could not be put on record: the config must name the plugin audit')
      // At once, so that a role that may not erase is told before anything is gone.
      if (known.length > 0) await retention.retire(person.subjects)
      const left: string[] = foreign === 0 ? [] : [describeForeign(foreign)]
      const plugins: Record<string, number> = {}
      for (const holder of holders) {
        const erased: Erased = await holder.erase(person)
        if (erased.entries > 0) plugins[holder.plugin] = erased.entries
        if (erased.left !== undefined) left.push(`${holder.plugin}: ${erased.left}`)
      }
      const { rows, isNew } = await forget(io, reader, retention, keys, sought)
      const remains = await retention.overwrite()
      if (remains !== undefined) left.push(remains)
      if (rows.length > 0) left.push(...sentBy(io))
      if (isNew) left.push('somebody goes on calling by this name; what is recorded from now on has a new pseudonym')
      const subjects = rows.map(({ id }) => id)
      // Whoever has a backup of these rows can tell by it that they are the ones.
      const digest = `sha256:${hash('sha256', JSON.stringify(rows.map(({ id, key, who }) => [id, key, who])), 'hex')}`
      const isTold = await io.record({ type: 'erasure', detail: { stage: 'end', subjects, digest, reason, plugins } })
      if (!isTold) left.push('that it is done could not be put on record; that it began is')
      const code = tell(io, { dryRun: false, subjects, plugins: Object.keys(plugins), left })
      return foreign > 0 || !isTold ? 3 : code
    } finally {
      await reader.close()
    }
  } finally {
    await retention.close()
  }
}

/** What is out of reach: exports that may have sent who it is. */
function sentBy({ config, stores }: Io): string[] {
  // What is sealed stays so.
  const open = config.exports.filter(({ form, names, contents }) => form !== 'evidence' && (names || contents))
  return open.map(({ name, receiver }) => `what export ${name} has sent to ${nameOf(receiver, stores)} may name them`)
}

/** Resolves to the rows that were deleted. */
async function forget(
  io: Io,
  reader: LogReader,
  retention: Retention,
  keys: Keys,
  sought: Sought,
): Promise<{ readonly rows: readonly SubjectRow[]; readonly isNew: boolean }> {
  const rows: SubjectRow[] = []
  const find = async (): Promise<readonly SubjectRow[]> => findPerson(keys, await reader.subjects(), sought).known.map(({ row }) => row)
  let found = await find()
  for (let round = 0; round < ROUNDS && found.length > 0; round++) {
    const ids = found.map(({ id }) => id)
    await retention.retire(ids)
    const streams = await reader.openStreams()
    if (streams.some(({ isLive }) => isLive)) await wait(WAIT_MS, io.signal)
    await retention.forget(ids)
    rows.push(...found)
    found = await find()
  }
  return { rows, isNew: found.length > 0 }
}

interface Done {
  readonly dryRun: boolean
  readonly subjects: readonly string[]
  readonly plugins: readonly string[]
  readonly left: readonly string[]
}

function tell(io: Io, { dryRun, subjects, plugins, left }: Done): number {
  if (io.json) io.out(`${JSON.stringify({ dryRun, subjects, plugins, left }, null, 2)}\n`)
  else if (subjects.length + plugins.length === 0) io.out('nothing is stored about them\n')
  else {
    const also = plugins.length === 0 ? '' : `, and what is kept by ${plugins.join(', ')}`
    io.out(`${dryRun ? 'would erase' : 'erased'} the keys of ${subjects.length} pseudonyms (${subjects.join(', ') || 'none'})${also}\n`)
  }
  if (!io.json) for (const one of left) io.out(printable(`left: ${one}`))
  return 0
}
