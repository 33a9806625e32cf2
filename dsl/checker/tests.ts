// Do tests speak of what there is? One about a misspelt tool proves nothing, whatever it expects. Tests decide nothing, so these are warnings.

import { placesUnder } from '../analysis/places.ts'
import type { Action, Target, Test } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from '../lock/lock.ts'
import { checkArguments } from './arguments.ts'
import type { Check } from './context.ts'
import { checkTarget } from './names.ts'
import { finding } from './tell.ts'

export const checkTests: Check = function* ({ files }, { lock }) {
  if (lock === undefined) return
  for (const test of files.flatMap(({ items }) => items.filter(item => item.kind === 'test'))) {
    for (const { event } of test.given) yield* checkName(event, lock)
    yield* checkName(test, lock)
    yield* checkCall(test, lock)
  }
}

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
