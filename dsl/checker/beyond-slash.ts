// Which names does a pattern seem to mean and not reach, because they have a `/`, for which no `*` stands?
import type { Rule } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { nameMatcher } from '../evaluator/target.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { serversOf } from './reach.ts'
import { finding, listSome } from './tell.ts'
import { targetsIn, type WrittenTarget } from './walk-file.ts'

export const checkBeyondSlash: Check = function* (bundle, { lock }) {
  for (const file of bundle.files) {
    const all = [...targetsIn(file)]
    const quoted = quotedOf(all)
    for (const written of all) {
      const { rule, action, target } = written
      if (!target.quoted && target.name.includes('*') && action !== 'read') yield* checkTarget(written, quoted.get(rule) ?? none, lock)
    }
  }
}

const none: ReadonlySet<string> = new Set()

/** Names that a rule has in quotes: whoever writes these beside a pattern knows what it does not reach. */
function quotedOf(all: readonly WrittenTarget[]): ReadonlyMap<Rule, ReadonlySet<string>> {
  const found = new Map<Rule, Set<string>>()
  for (const { rule, action, target } of all)
    if (target.quoted) found.set(rule, (found.get(rule) ?? new Set()).add(`${action} ${target.name}`))
  return found
}

function* checkTarget({ action, target }: WrittenTarget, quoted: ReadonlySet<string>, lock: Lock | undefined): Generator<Diagnostic> {
  const { server, name, span } = target
  if (action === 'method') {
    if ([...quoted].some(one => one.startsWith('method '))) return
    yield finding('beyond-slash', span, `\`${server}/${name}\` means no method of MCP: no \`*\` stands for the \`/\` in their names`, {
      help: `name each in quotes: \`${server}/"sampling/createMessage"\`, \`${server}/"elicitation/create"\`, \`${server}/"roots/list"\``,
    })
    return
  }
  if (lock === undefined) return
  const matches = nameMatcher({ action, name, quoted: false })
  const missed = serversOf(lock, server).flatMap(one =>
    lock.servers[one]![action === 'call' ? 'tools' : 'prompts'].flatMap(each => {
      const isMissed = each.name.includes('/') && matches(each.name.replaceAll('/', '\0')) && !quoted.has(`${action} ${each.name}`)
      return isMissed ? [`${one}/${JSON.stringify(each.name)}`] : []
    }),
  )
  if (missed.length === 0) return
  yield finding('beyond-slash', span, `\`${server}/${name}\` does not reach ${listSome(missed)}: no \`*\` stands for a \`/\``, {
    help: missed.length === 1 ? 'name it too, in quotes, where it is meant' : 'name them too, in quotes, where they are meant',
  })
}
