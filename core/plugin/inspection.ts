// What commands may learn from the servers themselves: their definitions as they are now, before anything is merged or narrowed.
import type { Payload } from './json.ts'

/** `name` as the server has it; a uri for resources and templates. */
export interface InspectedItem {
  readonly name: string
  readonly definition: Payload
}

export interface InspectedServer {
  readonly id: string
  /** Where its config names one; of several there is one of these for each. */
  readonly version?: string
  readonly tools: readonly InspectedItem[]
  readonly resources: readonly InspectedItem[]
  readonly templates: readonly InspectedItem[]
  readonly prompts: readonly InspectedItem[]
}

export interface Inspection {
  /** Enabled servers, in the order of the config; one that did not give all of its lists says why. */
  readonly servers: readonly (InspectedServer | (Pick<InspectedServer, 'id' | 'version'> & { readonly failed: string }))[]
  /** Obligations that the plugins of the config carry out. */
  readonly dischargers: readonly string[]
  /** Of those who may come; empty where not all can be known, e.g. because they come with tokens. */
  readonly roles: readonly string[]
  readonly tenants: readonly string[]
}

export interface InspectOptions {
  /** Asks these servers alone. */
  readonly only?: readonly string[]
}
