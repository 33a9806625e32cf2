// The YAML `policies:` of the older gateway.yaml, read strictly: what is not understood is named, and nothing is guessed.

export interface OlderCondition {
  readonly param: string
  readonly operator: 'eq' | 'neq' | 'in' | 'regex'
  readonly value: string | readonly string[]
}
export interface OlderRule {
  readonly server: string
  readonly tool: string
  readonly action: 'allow' | 'deny'
  readonly conditions: readonly OlderCondition[]
}
export interface OlderPolicy {
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
  readonly rules: readonly OlderRule[]
}

/** What cannot be kept, and where it stands below `policies`. */
export interface ImportProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Path = ImportProblem['path']
type Fields = Readonly<Record<string, unknown>>

export function readOlderPolicies(value: unknown): {
  readonly policies: readonly OlderPolicy[]
  readonly problems: readonly ImportProblem[]
} {
  const problems: ImportProblem[] = []
  const tell = (path: Path, message: string): void => void problems.push({ path, message })

  const fieldsOf = (item: unknown, path: Path, known: readonly string[]): Fields => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      tell(path, `expected a map of ${known.map(key => `\`${key}\``).join(', ')}`)
      return {}
    }
    for (const key of Object.keys(item))
      if (!known.includes(key)) tell([...path, key], `\`${key}\` is unknown here, expected ${known.join(', ')}`)
    return item as Fields
  }
  const textOf = (fields: Fields, key: string, path: Path): string | undefined => {
    const text = fields[key]
    if (text === undefined) return undefined
    if (typeof text === 'string' && text !== '') return text
    tell([...path, key], `\`${key}\` takes text${typeof text === 'number' ? `: put ${text} in quotes` : ''}`)
    return undefined
  }
  const neededText = (fields: Fields, key: string, path: Path): string => {
    if (fields[key] === undefined) tell(path, `\`${key}\` is missing`)
    return textOf(fields, key, path) ?? ''
  }
  const listOf = (item: unknown, path: Path): readonly unknown[] => {
    if (Array.isArray(item)) return item
    tell(path, item === undefined ? 'a list is missing' : 'expected a list')
    return []
  }
  const textsOf = (item: unknown, path: Path): string[] =>
    listOf(item, path).flatMap((one, index) => {
      if (typeof one === 'string') return [one]
      tell([...path, index], `expected text${typeof one === 'number' ? `: put ${one} in quotes` : ''}`)
      return []
    })
  const oneOf = <T extends string>(fields: Fields, key: string, path: Path, words: readonly T[]): T => {
    const found = words.find(word => word === fields[key])
    if (found === undefined) tell([...path, key], `\`${key}\` takes ${words.join(', ')}`)
    return found ?? words[0]!
  }

  const readCondition = (item: unknown, path: Path): OlderCondition => {
    const fields = fieldsOf(item, path, ['param', 'operator', 'value'])
    const operator = oneOf(fields, 'operator', path, ['eq', 'neq', 'in', 'regex'] as const)
    const param = neededText(fields, 'param', path)
    const at = [...path, 'value']
    if (operator === 'in') {
      const value = textsOf(fields.value, at)
      if (Array.isArray(fields.value) && value.length === 0) tell(at, '`in` with an empty list is never true: leave the rule out')
      return { param, operator, value }
    }
    if (Array.isArray(fields.value)) tell(at, `\`${operator}\` takes one text, a list goes with \`in\``)
    else if (typeof fields.value !== 'string')
      tell(at, `\`value\` takes text${typeof fields.value === 'number' ? `: put ${fields.value} in quotes` : ''}`)
    return { param, operator, value: String(fields.value) }
  }
  const readRule = (item: unknown, path: Path): OlderRule => {
    const fields = fieldsOf(item, path, ['server', 'tool', 'action', 'conditions'])
    const conditions = fields.conditions === undefined ? [] : listOf(fields.conditions, [...path, 'conditions'])
    return {
      server: textOf(fields, 'server', path) ?? '*',
      tool: textOf(fields, 'tool', path) ?? '*',
      action: oneOf(fields, 'action', path, ['deny', 'allow'] as const),
      conditions: conditions.map((one, index) => readCondition(one, [...path, 'conditions', index])),
    }
  }

  const policies = listOf(value, []).map((item, index): OlderPolicy => {
    const path = [index]
    const fields = fieldsOf(item, path, ['id', 'name', 'roles', 'rules'])
    const id = neededText(fields, 'id', path)
    return {
      id,
      name: textOf(fields, 'name', path) ?? id,
      roles: textsOf(fields.roles, [...path, 'roles']),
      rules: listOf(fields.rules, [...path, 'rules']).map((one, at) => readRule(one, [...path, 'rules', at])),
    }
  })
  return { policies, problems }
}
