// References in the YAML policies of a gateway.yaml, filled in as where the gateway itself reads them.
import type { Io } from './inputs.ts'

export type Path = readonly (string | number)[]

export interface Filled {
  /** The same, its texts filled in; one that cannot be stays as it is. */
  readonly value: unknown
  readonly used: readonly { readonly path: Path; readonly names: readonly string[] }[]
  readonly problems: readonly { readonly path: Path; readonly message: string }[]
}

export function fillIn(value: unknown, { expand }: Pick<Io, 'expand'>): Filled {
  const used: Filled['used'][number][] = []
  const problems: Filled['problems'][number][] = []
  const walk = (one: unknown, path: Path): unknown => {
    if (Array.isArray(one)) return one.map((item, at) => walk(item, [...path, at]))
    if (typeof one === 'object' && one !== null)
      return Object.fromEntries(Object.entries(one).map(([key, item]) => [key, walk(item, [...path, key])]))
    if (typeof one !== 'string') return one
    const filled = expand(one)
    if ('problem' in filled) problems.push({ path, message: `\`${one}\` cannot be filled in: ${filled.problem}` })
    else if (filled.variables.length > 0) used.push({ path, names: filled.variables })
    return 'problem' in filled ? one : filled.text
  }
  return { value: walk(value, []), used, problems }
}
