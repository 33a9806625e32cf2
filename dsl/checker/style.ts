// Would the formatter write a file otherwise? Told at the first line that it would change.
import { formatPolicy } from '../formatter/format.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkStyle: Check = function* ({ files }) {
  for (const file of files) {
    const { source } = file
    const formatted = formatPolicy(file)
    if (formatted === source.text) continue
    const start = firstChange(source.text, formatted)
    const line = /[^\r\n]*/.exec(source.text.slice(start))?.[0].trimEnd() ?? ''
    yield finding('style', { file: source.file, start, end: start + line.length }, 'the formatter would write this otherwise', {
      help: 'run `mcpgw policy fmt`',
    })
  }
}

/** Where the first line begins that is not the same. */
function firstChange(a: string, b: string): number {
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return Math.max(a.lastIndexOf('\n', same - 1), a.lastIndexOf('\r', same - 1)) + 1
}
