// Does everything that a rule names exist? Servers, tools, prompts, resources, roles and tenants, as far as the lock says.
import type { SubjectPart } from '../ast.ts'
import { nearest } from '../cel/nearest.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { nameMatcher, RESERVED_SERVER } from '../evaluator/target.ts'
import { mayMeanUnreached, nameOfLock } from '../lock/live.ts'
import type { Lock } from '../lock/lock.ts'
import type { Check } from './context.ts'
import { serversOf } from './reach.ts'
import { couldBe } from './resources.ts'
import { finding, listSome, meant } from './tell.ts'
import { subjectsIn, targetsIn, type WrittenTarget } from './walk-file.ts'

/** So many names are shown of those that there are. */
const MOST = 8

export const checkNames: Check = function* (bundle, { lock }) {
  if (lock === undefined) return
  for (const file of bundle.files) {
    for (const part of subjectsIn(file)) yield* checkSubject(part, lock)
    for (const written of targetsIn(file)) yield* checkTarget(written, lock)
  }
}

function* checkSubject({ kind, name }: SubjectPart, lock: Lock): Generator<Diagnostic> {
  const known = kind === 'role' ? lock.roles : kind === 'tenant' ? lock.tenants : []
  // Where roles come with tokens, the lock cannot know them.
  if (known.length === 0 || known.includes(name.value)) return
  const near = nearest(name.value, known)
  yield finding('unknown-role', name.span, `${nameOfLock(lock)} has no ${kind} \`${name.value}\``, meantOr(name.span, near, known))
}

export function* checkTarget({ action, target }: Pick<WrittenTarget, 'action' | 'target'>, lock: Lock): Generator<Diagnostic> {
  const { server, name, quoted, span } = target
  if (server === RESERVED_SERVER || mayMeanUnreached(lock, server)) return
  const book = nameOfLock(lock)
  const servers = serversOf(lock, server)
  const at = { ...span, end: Math.min(span.end, span.start + server.length) }
  if (servers.length === 0) {
    const all = Object.keys(lock.servers)
    const message = server.includes('*') ? `no server of ${book} matches \`${server}\`` : `${book} has no server \`${server}\``
    yield finding('unknown-server', at, message, meantOr(at, nearest(server, all), all))
    return
  }
  if (action === 'method') return
  if (action === 'read') {
    if (quoted) yield* checkResource(target, servers, lock)
    return
  }
  const kind = action === 'call' ? 'tool' : 'prompt'
  const offered = servers.flatMap(one => lock.servers[one]![action === 'call' ? 'tools' : 'prompts'])
  const matches = nameMatcher({ action, name, quoted })
  if (offered.some(one => matches(one.name))) return
  const glob = !quoted && name.includes('*')
  const where = servers.length === 1 ? ` of \`${servers[0]}\`` : ''
  const message = glob ? `no ${kind}${where} in ${book} matches \`${name}\`` : `${book} has no ${kind} \`${server}/${name}\``
  const names = offered.map(one => one.name)
  const near = glob ? undefined : nearest(name, names)
  if (near !== undefined && /^[A-Za-z0-9_.-]+$/.test(near)) yield finding('unknown-tool', span, message, meant(span, `${server}/${near}`))
  else yield finding('unknown-tool', span, message, meantOr(span, undefined, names))
}

// A server may have resources that it does not list, so that this is no error.
function* checkResource(target: WrittenTarget['target'], servers: readonly string[], lock: Lock): Generator<Diagnostic> {
  const { name, span } = target
  const offered = servers.map(server => lock.servers[server]!)
  const uris = offered.flatMap(one => [...one.resources.map(each => each.uri), ...one.templates.map(each => each.uriTemplate)])
  if (uris.length === 0 || uris.some(uri => couldBe(name, uri))) return
  const near = nearest(name, uris)
  const help = near === undefined ? `it has ${listSome(uris, MOST)}` : `did you mean \`${near}\`?`
  yield finding(
    'unknown-resource',
    span,
    `no resource or template of ${listSome(servers, MOST)} in ${nameOfLock(lock)} can match \`${name}\``,
    {
      help,
    },
  )
}

function meantOr(span: Diagnostic['span'], near: string | undefined, known: readonly string[]): Pick<Diagnostic, 'help' | 'fix'> {
  if (near !== undefined) return meant(span, near)
  return { help: known.length === 0 ? 'it has none' : `it has ${listSome(known, MOST)}` }
}
