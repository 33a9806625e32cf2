// One tool of a plain HTTP server: what MCP is told of it, and how its arguments become a request. Made when the config is loaded.
import type { JsonObject } from '../../plugin/index.ts'
import type { PathTemplate } from './path.ts'

export interface RestTool {
  readonly name: string
  /** As `tools/list` shows it. */
  readonly definition: JsonObject
  readonly method: string
  /** Below the path of the server's url. */
  readonly path: PathTemplate
  readonly parameters: readonly RestParameter[]
  /** The argument that is the body. */
  readonly body?: RestBody
  /** Where arguments go that nothing else takes: they are members of the body, or of the query, or there is no call. */
  readonly others: 'body' | 'query' | 'refused'
}

export interface RestBody {
  readonly argument: string
  readonly mediaType: string
  readonly required: boolean
}

export interface RestParameter {
  readonly argument: string
  readonly in: 'query' | 'header' | 'cookie'
  /** What the server calls it. */
  readonly name: string
  readonly required: boolean
  readonly style: ParameterStyle
}

/** How a list or a map is written. `repeated`: `a=1&a=2`; `joined`: `a=1,2`; `deep`: `a[b]=1`; `json`: as JSON. Of plain values all but the last are the same. */
export type ParameterStyle =
  | { readonly kind: 'repeated' }
  | { readonly kind: 'joined'; readonly separator: string }
  | { readonly kind: 'deep' }
  | { readonly kind: 'json' }
