// Formats a text and proves that nothing was lost: what comes out is read again and compared, tree and comments.
import type { PolicyFile } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Source } from '../span.ts'
import { parsePolicy } from '../syntax/parse.ts'
import { formatPolicy } from './format.ts'

export type Formatted = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] }

export function formatChecked(source: Source): Formatted {
  const { file, diagnostics } = parsePolicy(source)
  if (file === undefined || diagnostics.length > 0) return { diagnostics }
  const text = formatPolicy(file)
  const again = parsePolicy({ file: source.file, text }).file
  if (again === undefined || meaningOf(again) !== meaningOf(file)) throw new Error(`formatting ${source.file} would change it`)
  if (formatPolicy(again) !== text) throw new Error(`formatting ${source.file} does not come to an end`)
  return { text }
}

/** All of a file but where it stands: equal texts mean equal policies with equal comments. */
export function meaningOf({ name, edition, owner, items, comments }: PolicyFile): string {
  const notes = comments.map(({ text, ownLine }) => ({ text: text.trimEnd(), ownLine }))
  return JSON.stringify({ name, edition, owner, items, notes }, (key, value: unknown) => {
    if (key === 'span') return undefined
    return value instanceof Map ? { entries: [...value] } : value
  })
}
