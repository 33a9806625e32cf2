// Which rules does no test of the bundle match? Whether the tests hold is asked by `mcpgw policy test`.
import type { CheckedPolicy } from '../bundle/bundle.ts'
import { runTests } from '../testing/run-tests.ts'
import type { Check } from './context.ts'
import { finding } from './tell.ts'

/** Only of a bundle without errors. */
export const checkCoverage: Check = function* (bundle, { lock, now }) {
  const [file] = bundle.files
  if (file === undefined || bundle.rules.length === 0) return
  // Where nobody writes tests, one hint says more than one a rule.
  if (!bundle.files.some(({ items }) => items.some(item => item.kind === 'test'))) {
    yield finding('not-covered', file.name.span, 'no test of the bundle says what its rules do', {
      help: 'write `test "..." { as {...} call ... expect allow by RULE }`',
    })
    return
  }
  const { coverage } = runTests(bundle as CheckedPolicy, { now, lock })
  for (const { rule, span } of coverage.rules.missing) {
    yield finding('not-covered', span, `no test matches \`${rule}\``, { help: 'write a test with a call that it decides' })
  }
}
