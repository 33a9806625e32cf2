// The catalog lock (`mcpgw.lock.json`): what the servers offered when somebody looked and committed it.

export interface Lock {
  readonly v: 1
  /** By server id, sorted. */
  readonly servers: Readonly<Record<string, LockedServer>>
  /** Roles and tenants that the config knows, sorted; empty where it cannot know (e.g. they come with tokens): then names are not checked. */
  readonly roles: readonly string[]
  readonly tenants: readonly string[]
  /** Obligations that the loaded plugins carry out, sorted. */
  readonly dischargers: readonly string[]
  /** Only of a live catalog, never in a file: servers of the config that did not say what they offer. None of them is in `servers`. */
  readonly unreached?: readonly { readonly id: string; readonly why: string }[]
}
export interface LockedServer {
  readonly tools: readonly LockedTool[]
  readonly resources: readonly LockedResource[]
  readonly templates: readonly LockedTemplate[]
  readonly prompts: readonly LockedPrompt[]
}
/** `digest`: SHA-256, hex, of the canonical form of the whole definition. */
export interface LockedTool {
  readonly name: string
  readonly digest: string
  readonly description?: string
  readonly inputSchema: JsonSchema
  readonly outputSchema?: JsonSchema
  readonly annotations?: Readonly<Record<string, unknown>>
}
export interface LockedResource {
  readonly uri: string
  readonly digest: string
  readonly name?: string
}
export interface LockedTemplate {
  readonly uriTemplate: string
  readonly digest: string
  readonly name?: string
}
export interface LockedPrompt {
  readonly name: string
  readonly digest: string
  readonly description?: string
  readonly arguments?: readonly { readonly name: string; readonly required?: boolean; readonly description?: string }[]
}
export type JsonSchema = boolean | Readonly<Record<string, unknown>>
