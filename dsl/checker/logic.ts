// The questions that need whole rules: what they mean, and whether it fits the tools that they are about.
import { checkAlwaysTrue } from './always-true.ts'
import type { Check } from './context.ts'
import { checkDodgeable } from './dodgeable.ts'
import { checkImpossibleValue } from './impossible-value.ts'
import { checkNeverMatches } from './never-matches.ts'
import { checkOverridden } from './overridden.ts'
import { checkRegex } from './regex.ts'
import { checkShadowed } from './shadowed.ts'
import { checkSchemas } from './types.ts'
import { checkUnguarded } from './unguarded.ts'

/** What keeps a bundle from being loaded is among these. */
export const logicErrorChecks: readonly Check[] = [checkSchemas, checkUnguarded]

export const logicAdviceChecks: readonly Check[] = [
  checkImpossibleValue,
  checkNeverMatches,
  checkAlwaysTrue,
  checkOverridden,
  checkShadowed,
  checkRegex,
  checkDodgeable,
]
