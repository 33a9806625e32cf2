// Which tests on text can a caller dodge: SQL, paths and addresses that are compared letter by letter, and names that anybody may bear?
import { type Standing, standingsOf } from '../analysis/polarity.ts'
import type { ResolvedRule } from '../bundle/bundle.ts'
import type { CelNode } from '../cel/node.ts'
import { pathOf, walk } from '../cel/walk.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

interface Kind {
  readonly names: RegExp
  /** The function that asks for the meaning. */
  readonly safe: string
  readonly offer: (path: string) => string
  /** Texts that pass, or slip by, though they mean otherwise. */
  readonly dodge: (text: string, widens: boolean | undefined) => string
}

const kinds: readonly Kind[] = [
  {
    names: /(?:^|_)(?:sql|query|statement|stmt)$/i,
    safe: 'sql.is_select',
    offer: path => `sql.is_select(${path})`,
    dodge: (text, widens) => (widens === false ? `${text.slice(0, 1)}/**/${text.slice(1)}` : `${text} 1; DROP TABLE users`),
  },
  {
    names: /(?:^|_)(?:path|filepath|file|filename|dir|directory|folder)$/i,
    safe: 'path.within',
    offer: path => `path.within(${path}, "/...")`,
    dodge: (text, widens) =>
      widens === false ? `/x/..${text.startsWith('/') ? '' : '/'}${text}` : `${text.replace(/\/$/, '')}/../etc/passwd`,
  },
  {
    names: /(?:^|_)(?:url|uri|link|href|endpoint|webhook|callback)$/i,
    safe: 'url.host',
    offer: path => `url.host(${path}) == "..."`,
    dodge: (text, widens) =>
      widens === false ? text.toUpperCase() : /^\w+:\/\//.test(text) ? `${text}.evil.example` : `https://evil.example/?${text}`,
  },
  {
    names: /(?:^|_)(?:ip|ip_address|addr)$/i,
    safe: 'net.in_cidr',
    offer: path => `net.in_cidr(${path}, "10.0.0.0/8")`,
    dodge: text => `${text}.evil.example`,
  },
]

export const checkDodgeable: Check = function* ({ rules }) {
  for (const rule of rules) {
    const names = callsOf(rule)
    for (const standing of standingsOf(rule)) {
      yield* textTestOf(standing, names)
      yield* displayNameOf(standing)
    }
  }
}

/** Functions with the field that they ask about. */
function callsOf(rule: ResolvedRule): ReadonlySet<string> {
  const calls = new Set<string>()
  for (const condition of [rule.when, rule.unless]) {
    if (!condition) continue
    for (const node of walk(condition.ast)) {
      if (node.op !== 'rcall' || node.args[1].op !== 'id') continue
      const path = node.args[2][0] && pathOf(node.args[2][0])
      if (path) calls.add(`${node.args[1].args}.${node.args[0]} ${path.join('.')}`)
    }
  }
  return calls
}

function* textTestOf({ node, condition, widens }: Standing, calls: ReadonlySet<string>): Generator<Diagnostic> {
  if (node.op !== 'rcall') return
  const [test, receiver, args] = node.args
  if (test !== 'startsWith' && test !== 'endsWith' && test !== 'contains' && test !== 'matches') return
  const path = pathOf(receiver)
  const text = args[0]?.op === 'value' && typeof args[0].args === 'string' ? args[0].args : undefined
  // `resource.uri` is normalised before it is compared.
  if (!path || path.length < 2 || path[0] === 'resource' || text === undefined || text === '') return
  const kind = kinds.find(one => one.names.test(path.at(-1) as string))
  const joined = path.join('.')
  if (!kind || calls.has(`${kind.safe} ${joined}`) || isSound(kind, test, text, widens)) return
  const dodge = test === 'matches' ? undefined : kind.dodge(text, widens)
  const holds =
    dodge !== undefined &&
    (test === 'contains' ? dodge.includes(text) : test === 'startsWith' ? dodge.startsWith(text) : dodge.endsWith(text))
  // An example is shown only where it does what is said of it.
  const shown =
    dodge === undefined || holds !== (widens !== false) ? '' : widens === false ? `: \`${dodge}\` is not caught` : `: \`${dodge}\` passes`
  yield finding('dodgeable-test', condition.spanOf(node), `\`${test}\` on \`${joined}\` can be dodged${shown}`, {
    help: `ask for what it means: \`${kind.offer(joined)}\``,
  })
}

/** A prefix with the whole host and a slash pins the host; an ending of a path says what it says. */
function isSound(kind: Kind, test: string, text: string, widens: boolean | undefined): boolean {
  // Other questions look at patterns of hosts.
  if (test === 'matches') return kind.safe === 'url.host' || kind.safe === 'net.in_cidr'
  if (kind.safe === 'path.within') return test === 'endsWith' && !text.includes('/')
  return kind.safe === 'url.host' && test === 'startsWith' && widens === true && /^[a-z][a-z0-9+.-]*:\/\/[^/@]+\//.test(text)
}

function* displayNameOf({ node, condition }: Standing): Generator<Diagnostic> {
  const sides: readonly CelNode[] = node.op === '==' || node.op === '!=' || node.op === 'in' ? [node.args[0], node.args[1]] : []
  const isName = sides.some(side => pathOf(side)?.join('.') === 'principal.name')
  if (!isName) return
  yield finding('dodgeable-test', condition.spanOf(node), '`principal.name` is a display name, which others may bear too', {
    help: 'compare `principal.id`, or ask for a role',
  })
}
