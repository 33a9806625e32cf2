// Which rules does no test expect? Whether a test holds is asked by `mcpgw policy test`; here it is only read.
import type { Check } from './context.ts'
import { finding } from './tell.ts'
import { rulesIn } from './walk-file.ts'

export const checkCoverage: Check = function* (bundle) {
  const expected = new Set<string>()
  const duties = new Set<string>()
  let tests = 0
  for (const file of bundle.files) {
    for (const item of file.items) {
      if (item.kind !== 'test') continue
      tests++
      for (const name of item.expect.by) expected.add(name.value)
      for (const name of item.expect.with) duties.add(name.value)
    }
  }
  // Where nobody writes tests, one hint says more than one a rule.
  if (tests === 0) {
    const [file] = bundle.files
    if (file !== undefined && bundle.rules.length > 0) {
      yield finding('not-covered', file.name.span, `no test of the bundle says what its rules do`, {
        help: 'write `test "..." { as {...} call ... expect allow by RULE }`',
      })
    }
    return
  }
  for (const file of bundle.files) {
    for (const { name, effect, clauses, shadow } of rulesIn(file)) {
      // A require decides nothing: it is seen by what it asks for.
      const obligations = clauses.flatMap(clause => (clause.kind === 'then' ? clause.obligations.map(one => one.name.value) : []))
      const covered = effect === 'require' ? obligations.some(one => duties.has(one)) : expected.has(name.value)
      if (shadow || covered) continue
      const help =
        effect === 'require'
          ? `a test with \`expect allow with ${obligations[0] ?? 'log'}\``
          : `a test with \`expect ${effect} by ${name.value}\``
      yield finding('not-covered', name.span, `no test expects \`${name.value}\``, { help })
    }
  }
}
