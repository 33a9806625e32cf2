// Tools of the demo servers: their list, a check of arguments against the small part of JSON Schema they use, and their results.
import { type Call, DemoError, type Fields, type Handler, isFields } from './protocol.ts'

export interface Tool {
  readonly title: string
  readonly description: string
  readonly annotations: Fields
  readonly properties: Readonly<Record<string, Property>>
  readonly required?: readonly string[]
  readonly outputSchema?: Fields
  run(args: Arguments, call: Call): Fields | Promise<Fields>
}

/** Checked arguments; where one was left out, the default of its property. */
export interface Arguments {
  text(name: string): string
  number(name: string): number
  list(name: string): readonly string[]
}

export interface Property {
  readonly type: 'string' | 'integer' | 'array'
  readonly description: string
  readonly items?: { readonly type: 'string' }
  readonly default?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
}

/** `tools/list` and `tools/call`. */
export function toolMethods(tools: Readonly<Record<string, Tool>>): Record<string, Handler> {
  return {
    'tools/list': () => ({ tools: Object.entries(tools).map(([name, tool]) => describe(name, tool)) }),
    'tools/call': async (params, call) => {
      const name = textOf(params.name)
      const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
      if (tool === undefined) throw new DemoError(-32602, `unknown tool: ${name}`)
      const args = isFields(params.arguments) ? params.arguments : {}
      const problem = findProblem(tool, args)
      return problem === undefined ? tool.run(readArguments(tool, args), call) : toolError(problem)
    },
  }
}

export function textResult(text: string, structuredContent?: Fields): Fields {
  return { content: [{ type: 'text', text }], ...(structuredContent && { structuredContent }) }
}

/** An error that the agent reads, as opposed to one of the protocol. */
export function toolError(text: string): Fields {
  return { content: [{ type: 'text', text }], isError: true }
}

/** Behaviour hints of a tool that only reads its own data. */
export const readsOnly: Fields = { readOnlyHint: true, openWorldHint: false }

/** A string as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function readArguments(tool: Tool, args: Fields): Arguments {
  const read = (name: string): unknown => args[name] ?? tool.properties[name]?.default
  return {
    text: name => textOf(read(name) ?? ''),
    number: name => Number(read(name)),
    list: name => (read(name) as readonly string[] | undefined) ?? [],
  }
}

function describe(name: string, { title, description, annotations, properties, required = [], outputSchema }: Tool): Fields {
  const inputSchema = { type: 'object', properties, required, additionalProperties: false }
  return { name, title, description, inputSchema, ...(outputSchema && { outputSchema }), annotations: { title, ...annotations } }
}

function findProblem(tool: Tool, args: Fields): string | undefined {
  const missing = tool.required?.find(name => !Object.hasOwn(args, name))
  if (missing !== undefined) return `The argument "${missing}" is missing.`
  for (const [name, value] of Object.entries(args)) {
    const property = Object.hasOwn(tool.properties, name) ? tool.properties[name] : undefined
    if (property === undefined) return `There is no argument "${name}".`
    if (!fits(value, property)) return `The argument "${name}" does not fit: ${property.description}`
  }
  return undefined
}

function fits(value: unknown, property: Property): boolean {
  if (property.type === 'array') return Array.isArray(value) && value.every(item => typeof item === 'string')
  if (property.type === 'integer')
    return Number.isInteger(value) && Number(value) >= (property.minimum ?? -Infinity) && Number(value) <= (property.maximum ?? Infinity)
  if (typeof value !== 'string' || value.length > (property.maxLength ?? Infinity)) return false
  return property.pattern === undefined || new RegExp(property.pattern, 'u').test(value)
}
