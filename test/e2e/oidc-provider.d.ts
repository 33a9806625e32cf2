// The little of oidc-provider that tests use; the package brings no types.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'
  export default class Provider {
    constructor(issuer: string, config: object)
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }
}
