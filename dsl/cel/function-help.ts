// What is told of a function that the language does not have: the one that was meant, or all that there are.
import { functionNames } from './functions.ts'
import { nearest } from './nearest.ts'

const meantBy: Readonly<Record<string, string>> = {
  not: 'write `!`',
  len: 'write `size(x)`',
  length: 'write `size(x)`',
  count: 'write `size(x)`',
  like: 'write `x.matches("...")` with a pattern, or `x.startsWith("...")`',
  regex: 'write `x.matches("...")`',
  includes: 'write `x.contains("...")`, or `"..." in x` for a list',
  any: 'write `x.exists(one, one == "...")`',
  now: 'write `request.time`',
  defined: 'write `has(args.x)`',
}

const quoted = (names: readonly string[], behind: string): string => names.map(one => `\`${one}${behind}\``).join(', ')

export function functionHelp(name: string): string {
  if (Object.hasOwn(meantBy, name)) return meantBy[name]!
  const meant = nearest(name, functionNames)
  return meant === undefined ? `there are ${quoted([...functionNames], '')}` : `did you mean \`${meant}\``
}

/** Those of `sql`, `path`, `url` or `net`. */
export const functionsOf = (namespace: string): string =>
  quoted(
    [...functionNames].filter(one => one.startsWith(`${namespace}.`)),
    '()',
  )
