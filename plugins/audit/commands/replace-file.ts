// How far a command has come is kept in a file that is whole at any time.
import { renameSync, writeFileSync } from 'node:fs'

export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
