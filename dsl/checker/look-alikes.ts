// Are there names that people would take for one another? In the bundle, and among the tools that a rule allows.
import type { Word } from '../ast.ts'
import type { Bundle } from '../bundle/bundle.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import type { Span } from '../span.ts'
import type { Check } from './context.ts'
import { toolsOf } from './reach.ts'
import { lookAlikes, skeletonOf, spelledOut } from './skeleton.ts'
import { finding } from './tell.ts'
import { rulesIn, subjectsIn, targetsIn } from './walk-file.ts'

export const checkLookAlikes: Check = function* (bundle, { lock }) {
  for (const [kind, words] of wordsOf(bundle)) {
    // Of names that the lock knows as two, the rules may speak.
    const known = new Set(kind === 'role' ? lock?.roles : kind === 'tenant' ? lock?.tenants : [])
    yield* amongWords(
      kind,
      words.filter(word => !known.has(word.value)),
    )
  }
  if (lock !== undefined) yield* amongTools(bundle, lock)
}

function wordsOf(bundle: Bundle): Map<string, Word[]> {
  const words = new Map<string, Word[]>()
  const add = (kind: string, word: Word): void => {
    const list = words.get(kind)
    if (list === undefined) words.set(kind, [word])
    else list.push(word)
  }
  for (const file of bundle.files) {
    for (const rule of rulesIn(file)) add('rule', rule.name)
    for (const part of subjectsIn(file)) add(part.kind, part.name)
  }
  return words
}

function* amongWords(kind: string, words: readonly Word[]): Generator<Diagnostic> {
  const first = new Map<string, Word>()
  const told = new Set<string>()
  for (const word of words) {
    const skeleton = skeletonOf(word.value)
    const before = first.get(skeleton)
    if (before === undefined) first.set(skeleton, word)
    else if (before.value !== word.value && !told.has(word.value)) {
      told.add(word.value)
      const message = `the ${kind} \`${word.value}\`${spelledOut(word.value)} looks like \`${before.value}\`${spelledOut(before.value)}`
      yield finding('look-alike', word.span, message, {
        labels: [{ span: before.span, text: `\`${before.value}\` stands here` }],
        help: kind === 'rule' ? 'name one of them otherwise' : 'if one is meant, write it the same way',
      })
    }
  }
}

function* amongTools(bundle: Bundle, lock: Lock): Generator<Diagnostic> {
  const alike = new Map<string, readonly string[]>()
  for (const [server, { tools }] of Object.entries(lock.servers)) {
    for (const group of lookAlikes(tools.map(tool => tool.name))) for (const name of group) alike.set(`${server}/${name}`, group)
  }
  if (alike.size === 0) return
  const told = new Set<readonly string[]>()
  for (const file of bundle.files) {
    for (const { rule, action, role, target } of targetsIn(file)) {
      if (rule.effect !== 'allow' || role !== 'target') continue
      for (const { path, tool, server } of toolsOf(lock, { ...target, action })) {
        const group = alike.get(path)
        if (group === undefined || told.has(group)) continue
        told.add(group)
        yield amongOne(target.span, server, tool.name, group)
      }
    }
  }
}

function amongOne(span: Span, server: string, name: string, group: readonly string[]): Diagnostic {
  const others = group.filter(one => one !== name).map(one => `\`${one}\`${spelledOut(one)}`)
  const message = `of \`${server}\`, the tool \`${name}\`${spelledOut(name)} looks like ${others.join(' and ')}`
  return finding('look-alike', span, message, { help: 'make sure which one is meant: a tool may imitate another' })
}
