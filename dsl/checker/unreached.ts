// Which servers did not say what they offer, where they were asked? What is not known of them is told, not passed over.
import type { PolicyFile } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import { finding } from './tell.ts'
import { targetsIn } from './walk-file.ts'

/** Apart from the checks of a bundle: it is no fault of the bundle, and hides none of what is said of the bundle. */
export function* findUnreached(files: readonly PolicyFile[], { unreached = [] }: Lock): Generator<Diagnostic> {
  const [first] = files
  if (first === undefined) return
  for (const { id, why } of unreached) {
    const named = files.flatMap(file => [...targetsIn(file)]).find(({ target }) => target.server === id)
    yield finding('server-unreached', named?.target.span ?? first.name.span, `\`${id}\` does not say what it offers: ${why}`, {
      help: `nothing of \`${id}\` was checked: see \`mcpgw servers status\``,
    })
  }
}
