// What a plugin hears of a request that was refused before there was an exchange: nobody is known yet, and nothing of the message is in it.

/** No credential, no header but what the reason names, nothing of the body. Texts of the client are cut, and may still hold anything. */
export interface Refused {
  /** Of `mcpgw explain CODE`. */
  readonly code: string
  /** What the client was told. */
  readonly reason: string
  /** Plugins and rules; `default` where the gateway itself refused. */
  readonly by: readonly string[]
  readonly transport: 'http' | 'stdio'
  /** Socket address of the peer; absent on stdio. */
  readonly ip?: string | undefined
  /** HTTP status, where an answer was sent over HTTP. */
  readonly status?: number | undefined
  /** HTTP method, and the path without its query, as far as they could be read. */
  readonly method?: string | undefined
  readonly path?: string | undefined
  /** MCP method, where the message was understood so far. */
  readonly action?: string | undefined
}
