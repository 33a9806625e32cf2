// A plain HTTP server in the config: an OpenAPI document, or its tools one by one.
import * as z from 'zod'
import { coded, words } from './fields.ts'

export interface RestShape {
  readonly openapi?: string | undefined
  readonly operations?: OperationsShape | undefined
  readonly tools?: readonly RestToolShape[] | undefined
}
export interface OperationsShape {
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly outputs?: boolean | undefined
}
export interface RestToolShape {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined
  readonly path?: string | undefined
  readonly query?: readonly string[] | undefined
  readonly input?: Readonly<Record<string, unknown>> | undefined
  readonly output?: Readonly<Record<string, unknown>> | undefined
}

const schema = z.record(z.string(), z.unknown())
const globs = z.array(words).min(1)

const tool: z.ZodType<RestToolShape> = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, coded('bad-value', 'the name of a tool is at most 64 of letters, digits, - and _')),
  title: words.optional(),
  description: words.optional(),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).optional().meta({ description: 'Default POST' }),
  path: words.optional().meta({
    description: 'Below url; {city} is an argument, {+file} one that may have slashes. Left out: the url itself',
    examples: ['/forecast/{city}'],
  }),
  query: z.array(words).optional().meta({
    description:
      'Arguments that go into the query. Without a body (GET, HEAD, DELETE) all do that are not in the path; else the others are the body, a JSON object',
  }),
  input: schema
    .optional()
    .meta({ description: 'JSON Schema of its arguments; left out: those in path and query, as texts, and any others' }),
  output: schema.optional().meta({ description: 'JSON Schema of what the server answers, an object' }),
})

export const restFields: {
  readonly openapi: z.ZodType<string | undefined>
  readonly operations: z.ZodType<OperationsShape | undefined>
  readonly tools: z.ZodType<readonly RestToolShape[] | undefined>
} = {
  openapi: words.optional().meta({
    description:
      'url is a plain HTTP server: file of its OpenAPI document (3.0, 3.1; JSON or YAML). Each operation is a tool. Its servers and security are not read',
  }),
  operations: z
    .strictObject({ include: globs.optional(), exclude: globs.optional(), outputs: z.boolean().optional() })
    .optional()
    .meta({
      description:
        'Which of them, by name of the tool or by method and path; outputs: false leaves out what they answer, for a server that does not keep to it',
      examples: [{ include: ['get_*', 'POST /orders/*'], exclude: ['*_admin'] }],
    }),
  tools: z.array(tool).min(1).optional().meta({ description: 'url is a plain HTTP server: its tools, each one JSON endpoint' }),
}
