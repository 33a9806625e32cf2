// Do tests speak of what there is? One about a misspelt tool or role proves nothing, whatever it expects. Tests decide nothing, so these are warnings.

import { parseTree } from 'jsonc-parser'
import { placesUnder } from '../analysis/places.ts'
import type { Action, JsonSlice, Target, Test } from '../ast.ts'
import { nearest } from '../cel/nearest.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import { checkArguments } from './arguments.ts'
import type { Check } from './context.ts'
import { checkTarget } from './names.ts'
import { finding, listSome, meant } from './tell.ts'

export const checkTests: Check = function* ({ files }, { lock }) {
  for (const test of files.flatMap(({ items }) => items.filter(item => item.kind === 'test'))) {
    yield* checkPrincipal(test.as)
    if (lock === undefined) continue
    for (const { event } of test.given) yield* checkName(event, lock)
    yield* checkName(test, lock)
    yield* checkCall(test, lock)
  }
}

/** What nobody reads: a caller with `role` in place of `roles` has none, and is denied for that. */
function* checkPrincipal({ text, span }: JsonSlice): Generator<Diagnostic> {
  for (const { children = [] } of parseTree(text)?.children ?? []) {
    const { value, offset, length } = children[0]!
    if (members.includes(String(value))) continue
    const at = { file: span.file, start: span.start + offset, end: span.start + offset + length }
    const near = nearest(String(value), members)
    yield finding('test-unknown-name', at, `a principal has no \`${value}\``, {
      ...(near === undefined ? { help: `it has ${listSome(members, members.length)}` } : meant(at, near, JSON.stringify(near))),
    })
  }
}
const members = ['id', 'name', 'roles', 'tenant', 'claims']

function* checkName({ action, target }: { readonly action: Action; readonly target: Target }, lock: Lock): Generator<Diagnostic> {
  if (target.kind === 'reference') return
  for (const { span, message, help, fix } of checkTarget({ action, target }, lock))
    yield finding('test-unknown-name', span, message, { ...(help !== undefined && { help }), ...(fix !== undefined && { fix }) })
}

function* checkCall({ action, target, args }: Test, lock: Lock): Generator<Diagnostic> {
  if (target.kind === 'reference') return
  // Of one name, written in a test, there is one tool or none.
  const [place] = placesUnder({ ...target, action, quoted: true }, lock)
  if (place !== undefined) yield* checkArguments(place, args ?? { text: '{}', span: target.span })
}
