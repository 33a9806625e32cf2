// Renders the templates of the chart, which keep to the little of Helm's language that is here: anything else is an error.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

export interface Chart {
  readonly values: Readonly<Record<string, unknown>>
  readonly schema: object
  /** Name of the file -> its text. */
  readonly templates: ReadonlyMap<string, string>
}

export function readChart(dir: string): Chart {
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
  return {
    values: parse(read('values.yaml')) as Chart['values'],
    schema: JSON.parse(read('values.schema.json')) as object,
    templates: new Map(readdirSync(join(dir, 'templates')).map(name => [name, read(join('templates', name))])),
  }
}

/** Names of values that the templates use, as paths. */
export function usedValues({ templates }: Chart): Set<string> {
  return new Set([...templates.values()].flatMap(text => [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, path]) => path!)))
}

const RELEASE: Readonly<Record<string, string>> = { '.Release.Name': 'mcpgw', '.Release.Namespace': 'agents' }

export function renderTemplate(text: string, values: Chart['values']): string {
  const valueAt = (path: string): unknown => {
    let at: unknown = values
    for (const name of path.split('.')) at = (at as Readonly<Record<string, unknown>> | undefined)?.[name]
    if (at === undefined) throw new Error(`no value ${path}`)
    return at
  }
  const indent = (by: string, what: string): string => what.trimEnd().replaceAll(/^/gm, ' '.repeat(Number(by)))
  const evaluate = (expression: string): string => {
    const release = RELEASE[expression]
    if (release !== undefined) return release
    const [, verb, by = '', inner, path] = /^(?:(toJson|indent)(?: (\d+))? )?(?:\((toYaml) )?\.Values\.([\w.]+)\)?$/.exec(expression) ?? []
    if (path === undefined) throw new Error(`not in the little of Helm's language that is known here: {{ ${expression} }}`)
    const value = valueAt(path)
    if (verb === 'toJson') return JSON.stringify(value)
    if (verb === 'indent') return indent(by, inner === 'toYaml' ? stringify(value) : String(value))
    return String(value)
  }
  return text
    .replaceAll(/^\{\{ if \.Values\.([\w.]+) \}\}\n([\s\S]*?)^\{\{ end \}\}\n/gm, (_, path: string, body: string) =>
      valueAt(path) === true ? body : '',
    )
    .replaceAll(/\{\{ (.*?) \}\}/g, (_, expression: string) => evaluate(expression))
}
