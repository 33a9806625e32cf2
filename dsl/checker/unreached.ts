// Which servers did not say what they offer, where they were asked? What is not known of them is told, not passed over.
import type { Check } from './context.ts'
import { finding } from './tell.ts'
import { targetsIn } from './walk-file.ts'

export const checkUnreached: Check = function* ({ files }, { lock }) {
  const [first] = files
  if (first === undefined) return
  for (const { id, why } of lock?.unreached ?? []) {
    const named = files.flatMap(file => [...targetsIn(file)]).find(({ target }) => target.server === id)
    yield finding('server-unreached', named?.target.span ?? first.name.span, `\`${id}\` does not say what it offers: ${why}`, {
      help: `nothing of \`${id}\` was checked: see \`mcpgw servers status\``,
    })
  }
}
