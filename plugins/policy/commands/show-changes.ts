// Changes of a catalog, a line each, with what is different below.
import type { CommandIo } from 'mcpgw/plugin'
import type { Change } from '../catalog/changes.ts'
import { quote } from '../catalog/lock-text.ts'

const signs = { added: '+', removed: '-', changed: '~' } as const

export function showChanges({ out }: Pick<CommandIo, 'out'>, changes: readonly Change[]): void {
  for (const { server, kind, name, change, where } of changes) {
    out(`${signs[change]} ${kind} ${server}/${plain(name)}`)
    for (const { path, before, now } of where) out(`    ${plain(path)}: ${before ?? 'nothing'} -> ${now ?? 'nothing'}`)
    if (change === 'changed' && where.length === 0) out('    in something that the lock keeps only the digest of')
  }
}

/** Names come from servers: nothing of them commands a terminal. */
function plain(text: string): string {
  return quote(text).slice(1, -1)
}
