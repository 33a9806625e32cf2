// One operation of an OpenAPI document as a tool: its definition for MCP, and how its arguments become a request.
import { isFault, Json } from '../../mcp/json.ts'
import type { JsonObject, JsonValue } from '../../plugin/index.ts'
import { type PathTemplate, readTemplate, variablesOf } from '../../upstream/rest/path.ts'
import type { RestBody, RestTool } from '../../upstream/rest/tool.ts'
import { member, type Tree } from '../tree.ts'
import { isTrue, type OpenApiDocument, textOf } from './document.ts'
import type { FoundOperation } from './operations.ts'
import { type FoundParameter, findParameters, type ParameterRules } from './parameters.ts'
import { cutProse } from './prose.ts'
import { createSchemaCopier } from './schemas.ts'

/** What lists are held to. */
const LIMITS = { bytes: 1024 * 1024, depth: 48, keys: 100_000 }

/** Undefined where it cannot be one, which is reported. */
export function toolOf(
  document: OpenApiDocument,
  operation: FoundOperation,
  rules: ParameterRules,
  outputs: boolean,
): RestTool | undefined {
  const { name, method, path, at, shared } = operation
  const refuse = (where: Tree, message: string): undefined => {
    document.report(where, 'openapi-unsupported', `${method} ${path}: ${message}`)
  }
  const found = findParameters(document, [shared, member(at, 'parameters')], rules)
  const inPath = found.filter(one => one.in === 'path')
  const template = readTemplate(path, new Set(inPath.filter(one => one.isDeep).map(one => one.name)))
  if (typeof template === 'string') return refuse(at, template)
  const lacking = variablesOf(template).find(({ variable }) => !inPath.some(one => one.name === variable))
  if (lacking !== undefined) return refuse(at, `no parameter says what "{${lacking.variable}}" is`)

  const copier = createSchemaCopier(document, 'readOnly')
  const properties: Record<string, JsonValue> = {}
  const required: string[] = []
  const argumentFor = (wanted: string, otherwise: string): string => {
    const plain = wanted.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 56)
    let free = plain
    for (let n = 1; free === '' || Object.hasOwn(properties, free); n++) free = `${plain}_${otherwise}${n === 1 ? '' : n}`
    return free
  }
  const argumentOf = new Map<FoundParameter, string>()
  for (const one of found) {
    const argument = argumentFor(one.name, one.in)
    argumentOf.set(one, argument)
    if (one.required) required.push(argument)
    properties[argument] = described(one.schema === undefined ? {} : copier.copy(one.schema), one.description)
  }
  const body = bodyOf(document, at)
  if (typeof body === 'string') return refuse(member(at, 'requestBody') ?? at, body)
  let restBody: RestBody | undefined
  if (body !== undefined) {
    const argument = argumentFor('body', 'json')
    restBody = { argument, mediaType: body.mediaType, required: body.required }
    if (body.required) required.push(argument)
    properties[argument] = described(
      body.schema === undefined ? {} : copier.copy(body.schema),
      body.description ?? 'The body of the request',
    )
  }
  if (copier.problem !== undefined) return refuse(copier.problem.at, copier.problem.why)
  const definitions = copier.definitions()
  const outputSchema = outputs ? outputOf(document, at) : undefined
  const [summary, description] = [textOf(at, 'summary'), textOf(at, 'description')]
  const text = [summary, description].filter((one, index, all) => one !== undefined && all.indexOf(one) === index).join('\n\n')
  const definition: JsonObject = {
    name,
    ...(text !== '' && { description: cutProse(text) }),
    inputSchema: {
      type: 'object',
      properties,
      ...(required.length > 0 && { required }),
      additionalProperties: false,
      ...(definitions !== undefined && { $defs: definitions }),
    },
    ...(outputSchema !== undefined && { outputSchema }),
    annotations: annotationsOf(method, summary),
  }
  if (!canBeWritten(definition)) return refuse(at, 'its schemas are too large, or have a value that JSON cannot say')
  return {
    name,
    definition,
    method,
    path: renamed(template, variable => argumentOf.get(inPath.find(one => one.name === variable)!)!),
    parameters: found
      .flatMap(one => (one.in === 'path' ? [] : [{ ...one, in: one.in, argument: argumentOf.get(one)! }]))
      .map(plainParameter),
    ...(restBody !== undefined && { body: restBody }),
    others: 'refused',
  }
}

/** Spec: server/tools, "annotations": hints. Spec: RFC 9110, 9.2: what a method promises. */
export function annotationsOf(method: string, title: string | undefined): JsonObject {
  const isReading = method === 'GET' || method === 'HEAD'
  return {
    ...(title !== undefined && { title }),
    readOnlyHint: isReading,
    ...(!isReading && { destructiveHint: method === 'DELETE' || method === 'PUT' || method === 'PATCH' }),
    idempotentHint: isReading || method === 'PUT' || method === 'DELETE',
    openWorldHint: true,
  }
}

function plainParameter({ argument, in: place, name, required, style }: RestTool['parameters'][number]): RestTool['parameters'][number] {
  return { argument, in: place, name, required, style }
}

function renamed(template: PathTemplate, nameOf: (variable: string) => string): PathTemplate {
  return template.map(segment => segment.map(piece => ('text' in piece ? piece : { ...piece, variable: nameOf(piece.variable) })))
}

function described(schema: JsonValue, description: string | undefined): JsonValue {
  if (typeof schema !== 'object' || schema === null || description === undefined) return schema
  return { description: cutProse(description), ...(schema as JsonObject) }
}

function bodyOf(
  document: OpenApiDocument,
  operation: Tree,
): { mediaType: string; schema: Tree | undefined; required: boolean; description: string | undefined } | string | undefined {
  const written = member(operation, 'requestBody')
  const tree = document.resolve(written)
  if (tree === undefined) return written === undefined ? undefined : 'its body is not there'
  const media = jsonOf(member(tree, 'content'))
  const required = isTrue(tree, 'required')
  if (media !== undefined)
    return { mediaType: media.type, schema: member(media.tree, 'schema'), required, description: textOf(tree, 'description') }
  if (required) return 'its body is no JSON'
  document.report(tree, 'openapi-unsupported', 'an optional body that is no JSON is left out', 'warning')
  return undefined
}

function jsonOf(content: Tree | undefined): { readonly type: string; readonly tree: Tree } | undefined {
  const entries = content?.kind === 'map' ? content.entries : []
  const isExactly = (key: string): boolean => key.split(';', 1)[0]!.trim().toLowerCase() === 'application/json'
  const found = entries.find(({ key }) => isExactly(key)) ?? entries.find(({ key }) => /^[a-z]+\/[a-z0-9.-]+\+json$/i.test(key))
  return found === undefined ? undefined : { type: isExactly(found.key) ? 'application/json' : found.key, tree: found.value }
}

/** Only where there is one way to succeed, and it is an object in JSON. */
function outputOf(document: OpenApiDocument, operation: Tree): JsonObject | undefined {
  const responses = member(operation, 'responses')
  const good = responses?.kind === 'map' ? responses.entries.filter(({ key }) => /^2(\d\d|XX)$/i.test(key)) : []
  const schema = good.length === 1 ? member(jsonOf(member(document.resolve(good[0]!.value), 'content'))?.tree, 'schema') : undefined
  if (schema === undefined) return undefined
  const copier = createSchemaCopier(document, 'writeOnly')
  const copied = copier.copyInPlace(schema)
  if (copier.problem !== undefined || typeof copied !== 'object' || copied === null) return undefined
  const { type, ...rest } = copied as JsonObject
  if (type !== 'object' || rest.$ref !== undefined) return undefined
  const { $defs: own, ...others } = rest
  const definitions = { ...(own as JsonObject | undefined), ...copier.definitions() }
  return { type, ...others, ...(Object.keys(definitions).length > 0 && { $defs: definitions }) }
}

function canBeWritten(definition: JsonObject): boolean {
  try {
    return !isFault(Json.scan(Json.of(definition).bytes, LIMITS))
  } catch {
    return false
  }
}
