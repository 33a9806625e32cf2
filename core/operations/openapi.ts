// The plain HTTP interface as an OpenAPI 3.1 document, made from the schemas that check what comes in.
import type { JsonObject, JsonValue, Operation } from '../plugin/index.ts'
import { lift } from './lift.ts'
import { routeOf } from './route.ts'
import { describe } from './tool.ts'

const JSON_TYPE = 'application/json'
const ERROR: JsonObject = { $ref: '#/components/responses/Error' }

/** What is refused can be so for everybody alike. */
const REFUSALS: JsonObject = Object.fromEntries(
  ['400', '401', '403', '404', '429', '500', '502', '503', '504'].map(status => [status, ERROR]),
)

/** Of requests with a body. */
const UNREAD: JsonObject = { '413': ERROR, '415': ERROR }

const COMPONENTS: JsonObject = {
  securitySchemes: {
    bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a token' },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  },
  responses: {
    Error: { description: 'Refused, or failed', content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } } },
  },
  schemas: {
    Error: {
      type: 'object',
      required: ['error'],
      properties: {
        error: {
          type: 'object',
          required: ['code', 'message'],
          properties: {
            code: { type: 'string', description: 'What `mcpgw explain CODE` explains' },
            message: { type: 'string' },
            callId: { type: 'string', description: 'Of the call, in the record' },
            field: { type: 'string', description: 'The member that does not fit' },
            retryAfter: { type: 'number', description: 'Seconds' },
          },
        },
      },
    },
    Tool: {
      type: 'object',
      required: ['name', 'inputSchema'],
      properties: {
        name: { type: 'string' },
        title: { type: 'string' },
        description: { type: 'string' },
        inputSchema: { type: 'object' },
        outputSchema: { type: 'object' },
        annotations: { type: 'object' },
      },
    },
    ToolResult: {
      type: 'object',
      required: ['content'],
      properties: {
        content: { type: 'array', items: { type: 'object' } },
        structuredContent: { description: 'What outputSchema describes' },
        isError: { type: 'boolean', description: 'The tool itself says that it failed' },
      },
    },
  },
}

const TOOLS: JsonObject = {
  '/tools': {
    get: {
      operationId: 'tools',
      summary: 'The tools that the caller may use',
      parameters: [{ name: 'cursor', in: 'query', schema: { type: 'string' }, description: 'nextCursor of the page before' }],
      responses: {
        '200': ok({
          type: 'object',
          required: ['tools'],
          properties: { tools: { type: 'array', items: { $ref: '#/components/schemas/Tool' } }, nextCursor: { type: 'string' } },
        }),
        ...REFUSALS,
      },
    },
  },
  '/tools/{name}/call': {
    post: {
      operationId: 'callTool',
      summary: 'Calls a tool',
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
      requestBody: body({ type: 'object', properties: { arguments: { type: 'object' } }, additionalProperties: false }, false),
      responses: { '200': ok({ $ref: '#/components/schemas/ToolResult' }), ...REFUSALS, ...UNREAD },
    },
  },
}

export interface OpenApiOptions {
  readonly version: string
  /** Those that are offered to anybody. */
  readonly operations: readonly Operation[]
  /** A plugin says who callers are. */
  readonly authenticates: boolean
}

export function openApi({ version, operations, authenticates }: OpenApiOptions): JsonObject {
  const schemas: Record<string, JsonValue> = {}
  const paths: Record<string, Record<string, JsonValue>> = { ...(TOOLS as Record<string, Record<string, JsonValue>>) }
  for (const operation of operations) {
    if (operation.route === undefined) continue
    const [method = '', path = ''] = operation.route.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeRoute(operation, method, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mcpgw',
      version,
      description: 'Tools by name and the gateway itself. Each request goes through all plugins of the gateway.',
    },
    paths,
    components: { ...COMPONENTS, schemas: { ...(COMPONENTS.schemas as JsonObject), ...schemas } },
    security: authenticates ? [{ bearer: [] }, { apiKey: [] }] : [],
  }
}

function describeRoute(operation: Operation, method: string, schemas: Record<string, JsonValue>): JsonObject {
  const described = describe(operation)
  const inputSchema = lift(described.inputSchema, `${operation.name}.input`, schemas)
  const outputSchema = lift(described.outputSchema, `${operation.name}.output`, schemas)
  const { properties = {}, required = [] } = inputSchema as { properties?: JsonObject; required?: readonly string[] }
  const inPath = routeOf(operation.route!).parts.flatMap(part => ('name' in part ? [part.name] : []))
  const others = Object.keys(properties).filter(name => !inPath.includes(name))
  const hasBody = (method === 'POST' || method === 'PUT') && others.length > 0
  const parameter = (name: string): JsonObject => ({
    name,
    in: inPath.includes(name) ? 'path' : 'query',
    required: inPath.includes(name) || (required as readonly JsonValue[]).includes(name),
    schema: properties[name] ?? {},
  })
  const rest = Object.fromEntries(others.map(name => [name, properties[name]!]))
  const needed = (required as readonly string[]).filter(name => others.includes(name))
  const schema = { ...inputSchema, properties: rest, required: needed }
  return {
    operationId: operation.name,
    summary: operation.summary,
    parameters: [...inPath, ...(hasBody ? [] : others)].map(parameter),
    ...(hasBody && { requestBody: body(schema, needed.length > 0) }),
    responses: {
      '200': ok(outputSchema),
      ...REFUSALS,
      ...(hasBody && UNREAD),
      ...(operation.effect === 'changes' && { '409': ERROR }),
    },
  }
}

function body(schema: JsonObject, required: boolean): JsonObject {
  return { required, content: { [JSON_TYPE]: { schema } } }
}

function ok(schema: JsonObject): JsonObject {
  return { description: 'Done', content: { [JSON_TYPE]: { schema } } }
}
