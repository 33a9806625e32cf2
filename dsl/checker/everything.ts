// Does a glob that looks like a choice choose nothing? One that every tool of its server meets says less than it seems to.
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Check } from './context.ts'
import { toolsOf } from './reach.ts'
import { finding } from './tell.ts'
import { targetsIn } from './walk-file.ts'

/** With fewer tools, that all of them match says nothing yet. */
const enough = 3

export const checkEverything: Check = function* (bundle, { lock }): Generator<Diagnostic> {
  if (lock === undefined) return
  for (const file of bundle.files) {
    for (const { rule, action, target, role } of targetsIn(file)) {
      const { server, name, quoted, span } = target
      if (rule.effect !== 'allow' || role !== 'target' || action !== 'call' || quoted) continue
      if (!name.includes('*') || name === '*' || server.includes('*')) continue
      const all = toolsOf(lock, { action, server, name: '*', quoted: false })
      if (all.length < enough || toolsOf(lock, { action, server, name, quoted }).length < all.length) continue
      const text = `${server}/*`
      yield finding('matches-everything', span, `\`${server}/${name}\` matches all ${all.length} tools of \`${server}\``, {
        help: `write \`${text}\` if that is meant, or name the tools`,
        fix: { span, text, title: `write \`${text}\`` },
      })
    }
  }
}
