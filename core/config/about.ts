// What is said of a server, for people: it is shown as it is to whoever may know of the server.

export interface About {
  readonly description?: string
  readonly owner?: string
  readonly tags?: readonly string[]
}
export type AboutShape = { readonly [K in keyof About]: About[K] | undefined }

/** Nothing else, and no key without a value. */
export function aboutOf({ description, owner, tags }: AboutShape): About {
  return { ...(description !== undefined && { description }), ...(owner !== undefined && { owner }), ...(tags !== undefined && { tags }) }
}
