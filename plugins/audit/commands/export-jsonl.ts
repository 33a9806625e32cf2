// The log as lines that verify with nothing else at hand: every record as it is, what is sealed stays sealed; then every signed note.
import { writeLine } from '../export-line.ts'
import { digestOf } from '../note.ts'
import type { LogReader } from '../store/log-store.ts'
import type { Form } from './export-file.ts'

/** `held`: digests of the notes that the file has already. */
export async function exportLines(reader: LogReader, held: readonly string[]): Promise<Form> {
  // Before the records: a note that speaks of more than was exported would tell of a tail that is missing.
  const notes = await notesOf(reader)
  const known = new Set(held)
  const fresh = notes.filter(({ note }) => !known.has(digestOf(note)))
  return {
    head: '',
    write: records => records.map(({ body, prev, hash }) => writeLine({ kind: 'record', body, prev, hash })).join(''),
    tail: fresh.map(writeLine).join(''),
    notes: [...held, ...fresh.map(({ note }) => digestOf(note))],
    describe: records => `${records} records and ${fresh.length} signed notes exported`,
  }
}

type Note = { readonly kind: 'checkpoint' | 'tombstone'; readonly note: string }

/** Each once, oldest first: one that speaks of several streams has a row for each of them. */
async function notesOf(reader: LogReader): Promise<readonly Note[]> {
  const notes = new Map<string, Note>()
  for (const { note } of await reader.tombstones()) notes.set(note, { kind: 'tombstone', note })
  for await (const page of reader.checkpoints()) for (const { note } of page) notes.set(note, { kind: 'checkpoint', note })
  return [...notes.values()]
}
