// Every check there is. Errors are found even where other errors are; advice is given on a bundle that could be loaded.

import { checkBeyondSlash } from './beyond-slash.ts'
import type { Check } from './context.ts'
import { checkCoverage } from './coverage.ts'
import { checkDrift } from './drift.ts'
import { checkEverything } from './everything.ts'
import { checkDestructive, checkGovernance } from './governance.ts'
import { checkIdleExcept } from './idle-except.ts'
import { logicAdviceChecks, logicErrorChecks } from './logic.ts'
import { checkLookAlikes } from './look-alikes.ts'
import { checkNames } from './names.ts'
import { checkNoLock } from './no-lock.ts'
import { checkStyle } from './style.ts'
import { checkTests } from './tests.ts'

export const errorChecks: readonly Check[] = [checkNames, ...logicErrorChecks]

export const adviceChecks: readonly Check[] = [
  checkNoLock,
  ...logicAdviceChecks,
  checkLookAlikes,
  checkEverything,
  checkBeyondSlash,
  checkIdleExcept,
  checkGovernance,
  checkDestructive,
  checkDrift,
  checkTests,
  checkCoverage,
  checkStyle,
]
