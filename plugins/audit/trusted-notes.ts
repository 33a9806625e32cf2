// Checkpoints as they are kept outside of the log: a file with one signed note, or with many behind one another, as the anchor of a file leaves it.
import type { Checkpoint } from './checkpoint.ts'
import { openCheckpoint } from './checkpoint-row.ts'
import { readLine } from './export-line.ts'
import type { Trusted } from './note.ts'

export interface TrustedNotes {
  /** Oldest first. */
  readonly checkpoints: readonly Checkpoint[]
  /** Notes that nobody who is trusted signed, or that were cut off. */
  readonly unreadable: number
}

/** Nothing else in a note looks like the line that it begins with. */
const ORIGIN = /^mcpgw\/audit\/[0-9a-f]{16}$/gm

export function readTrustedNotes(text: string, trusted: readonly Trusted[]): TrustedNotes {
  const notes = splitNotes(text)
  const opened = notes.map(note => openCheckpoint(note, trusted))
  const checkpoints = opened.filter(one => one !== undefined).sort((a, b) => a.at - b.at)
  return { checkpoints, unreadable: opened.length - checkpoints.length }
}

function splitNotes(text: string): readonly string[] {
  if (text.startsWith('{'))
    return text.split('\n').flatMap(line => {
      const read = line === '' ? undefined : readLine(line)
      return read?.kind === 'checkpoint' ? [read.note] : []
    })
  const starts = [...text.matchAll(ORIGIN)].map(match => match.index)
  return starts.map((start, i) => `${text.slice(start, starts[i + 1]).trimEnd()}\n`)
}
