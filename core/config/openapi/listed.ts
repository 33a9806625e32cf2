// Tools of a plain HTTP server that stand in the config one by one.
import type { JsonObject, JsonValue } from '../../plugin/index.ts'
import { readTemplate, variablesOf } from '../../upstream/rest/path.ts'
import type { RestTool } from '../../upstream/rest/tool.ts'
import { type Diagnostic, type DiagnosticCode, diagnose } from '../diagnostic.ts'
import type { PlacedServer } from '../placed.ts'
import type { RestToolShape } from '../rest-shape.ts'
import { spanOf } from '../tree.ts'
import { annotationsOf } from './tool.ts'

export function listedTools({ shape, source, path }: PlacedServer, diagnostics: Diagnostic[]): RestTool[] {
  const seen = new Set<string>()
  return (shape.tools ?? []).flatMap((tool, index) => {
    const report = (keys: readonly (string | number)[], code: DiagnosticCode, message: string): undefined => {
      diagnostics.push(diagnose(source, spanOf(source.root, [...path, 'tools', index, ...keys]), { code, message }))
    }
    if (seen.has(tool.name)) report(['name'], 'duplicate-id', `the tool "${tool.name}" stands twice`)
    seen.add(tool.name)
    const made = toolOf(tool, report)
    return made === undefined ? [] : [made]
  })
}

function toolOf(
  { name, title, description, method = 'POST', path = '', query = [], input, output }: RestToolShape,
  report: (keys: readonly (string | number)[], code: DiagnosticCode, message: string) => undefined,
): RestTool | undefined {
  const template = readTemplate(path)
  if (typeof template === 'string') return report(['path'], 'bad-value', template)
  const variables = variablesOf(template).map(({ variable }) => variable)
  const properties = isMap(input?.properties) ? input.properties : undefined
  if (input !== undefined && input.type !== 'object')
    return report(['input'], 'bad-value', 'the input of a tool is an object: give it "type: object"')
  if (output !== undefined && output.type !== 'object')
    return report(['output'], 'bad-value', 'what a tool answers is an object: give it "type: object"')
  const stray = findReference(input) ?? findReference(output)
  if (stray !== undefined) return report([], 'bad-value', `the reference "${stray}" leads out of the schema, and nothing is fetched`)
  const lacking = properties === undefined ? undefined : variables.find(variable => !Object.hasOwn(properties, variable))
  if (lacking !== undefined) return report(['path'], 'bad-value', `the input has no property "${lacking}"`)
  const both = query.findIndex(one => variables.includes(one))
  if (both >= 0) return report(['query', both], 'conflicting-keys', 'this argument is in the path')
  const text = (names: readonly string[]): JsonObject => Object.fromEntries(names.map(one => [one, { type: 'string' }]))
  const inputSchema: JsonObject = (input as JsonObject | undefined) ?? {
    type: 'object',
    properties: text([...variables, ...query]),
    ...(variables.length > 0 && { required: variables }),
  }
  const wanted = Array.isArray(inputSchema.required) ? inputSchema.required : []
  return {
    name,
    definition: {
      name,
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      inputSchema,
      ...(output !== undefined && { outputSchema: output as JsonObject }),
      annotations: annotationsOf(method, undefined),
    },
    method,
    path: template,
    parameters: query.map(argument => ({
      argument,
      in: 'query',
      name: argument,
      required: wanted.includes(argument),
      style: { kind: 'repeated' },
    })),
    others: method === 'GET' || method === 'HEAD' || method === 'DELETE' ? 'query' : 'body',
  }
}

function isMap(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One that begins with anything but `#`. Depth is the config's own. */
function findReference(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, one] of Object.entries(value)) {
    const found = key === '$ref' && typeof one === 'string' && !one.startsWith('#') ? one : findReference(one)
    if (found !== undefined) return found
  }
  return undefined
}
