// Is there a lock? Without one the checks of names and types are silent, and that is said once.
import type { Check } from './context.ts'
import { finding } from './tell.ts'

export const checkNoLock: Check = function* (bundle, { lock }) {
  const [file] = bundle.files
  if (lock !== undefined || file === undefined) return
  yield finding('no-lock', file.name.span, 'there is no lock: names and types are not checked', {
    help: 'run `mcpgw catalog lock`, and commit `mcpgw.lock.json` beside the policies',
  })
}
