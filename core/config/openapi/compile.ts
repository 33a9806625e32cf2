// The tools of plain HTTP servers, from their documents or from the config itself: made once, before anything starts.
import type { RestTool } from '../../upstream/rest/tool.ts'
import { type Diagnostic, diagnose } from '../diagnostic.ts'
import type { PlacedServer, PlacedVersion } from '../placed.ts'
import { keySpanOf, member, type Source, spanOf } from '../tree.ts'
import { type OpenApiDocument, openDocument, textOf } from './document.ts'
import { listedTools } from './listed.ts'
import { choose, findOperations, reportTwins } from './operations.ts'
import type { ParameterRules } from './parameters.ts'
import { toolOf } from './tool.ts'

export interface CompiledRest {
  readonly servers: readonly PlacedServer[]
  /** Documents that were read. */
  readonly documents: readonly Source[]
  readonly diagnostics: readonly Diagnostic[]
}

export async function compileRest(servers: readonly PlacedServer[]): Promise<CompiledRest> {
  const diagnostics: Diagnostic[] = []
  const documents: Source[] = []
  const compiled: PlacedServer[] = []
  async function compile(server: PlacedServer): Promise<PlacedServer> {
    const { shape } = server
    if (shape.openapi !== undefined) return { ...server, tools: await readTools(server, shape.openapi, documents, diagnostics) }
    return shape.tools === undefined ? server : { ...server, tools: listedTools(server, diagnostics) }
  }
  for (const server of servers) {
    if (server.versions === undefined) compiled.push(await compile(server))
    else {
      const versions: PlacedVersion[] = []
      for (const one of server.versions) versions.push({ ...one, placed: await compile(one.placed) })
      compiled.push({ ...server, versions })
    }
  }
  return { servers: compiled, documents, diagnostics }
}

async function readTools(server: PlacedServer, file: string, documents: Source[], diagnostics: Diagnostic[]): Promise<RestTool[]> {
  const { shape, source, path, baseDir } = server
  const document = await openDocument(file, baseDir, diagnostics)
  if (document === undefined) return []
  if ('problem' in document) {
    const at = spanOf(source.root, [...path, 'openapi'])
    diagnostics.push(diagnose(source, at, { code: 'bad-value', message: document.problem, help: document.help }))
    return []
  }
  documents.push(document.source)
  const { chosen, idle } = choose(findOperations(document), shape.operations ?? {})
  for (const [key, index] of idle) {
    const at = spanOf(source.root, [...path, 'operations', key, index])
    diagnostics.push(diagnose(source, at, { code: 'bad-value', message: 'no operation of the document is meant by this' }))
  }
  if (chosen.length === 0 && idle.length === 0) {
    const at = keySpanOf(source.root, path, 'openapi')
    diagnostics.push(diagnose(source, at, { code: 'bad-value', message: 'no operation of the document is chosen' }))
  }
  reportTwins(document, chosen)
  const rules: ParameterRules = {
    credentials: credentialsOf(document),
    configured: new Set(Object.keys(shape.headers ?? {}).map(name => name.toLowerCase())),
  }
  return chosen.flatMap(operation => toolOf(document, operation, rules, shape.operations?.outputs !== false) ?? [])
}

/** Where the document says that a key stands: it is the config's, whatever an operation says of it. */
function credentialsOf(document: OpenApiDocument): ReadonlySet<string> {
  const schemes = member(member(document.source.root, 'components'), 'securitySchemes')
  const found = new Set<string>()
  for (const { value } of schemes?.kind === 'map' ? schemes.entries : []) {
    const scheme = document.resolve(value)
    const [place, name] = [textOf(scheme, 'in'), textOf(scheme, 'name')]
    if (textOf(scheme, 'type') !== 'apiKey' || place === undefined || name === undefined) continue
    found.add(`${place}:${place === 'header' ? name.toLowerCase() : name}`)
  }
  return found
}
