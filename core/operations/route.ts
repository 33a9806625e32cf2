// The route of an operation, `GET /keys/{id}`, compiled: which paths are its own, and what their parts say.

export interface Route {
  readonly method: string
  /** Some path is a path of both, with the same method. */
  meets(other: Route): boolean
  /** What the named parts of the path say, decoded; undefined where it is another's. */
  read(path: string): Readonly<Record<string, string>> | undefined
  readonly parts: readonly Part[]
}
type Part = { readonly text: string } | { readonly name: string }

const ROUTE = /^(GET|POST|PUT|DELETE) ((?:\/(?:[a-z0-9_.-]+|\{[a-zA-Z]+\}))+)$/

/** Throws where it is none. */
export function routeOf(written: string): Route {
  const match = ROUTE.exec(written)
  if (match === null) throw new Error(`"${written}" is no route: expected a method and a path, e.g. GET /keys/{id}`)
  const [, method = '', path = ''] = match
  const parts = path
    .slice(1)
    .split('/')
    .map((part): Part => (part.startsWith('{') ? { name: part.slice(1, -1) } : { text: part }))
  return {
    method,
    parts,
    meets: other =>
      other.method === method &&
      other.parts.length === parts.length &&
      parts.every((part, i) => {
        const against = other.parts[i]!
        return 'name' in part || 'name' in against || part.text === against.text
      }),
    read(asked) {
      const given = asked.slice(1).split('/')
      if (given.length !== parts.length) return undefined
      const named: Record<string, string> = {}
      for (const [i, part] of parts.entries()) {
        const text = given[i]!
        if ('name' in part) {
          const value = decodePart(text)
          if (value === undefined || value === '') return undefined
          named[part.name] = value
        } else if (part.text !== text) return undefined
      }
      return named
    },
  }
}

/** What a part of a path says; undefined where its escapes are none. */
export function decodePart(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
