// An entry of a list in the settings that is one of several kinds, each known by a member of its own.
import type { z } from 'zod'

/** Members of an entry, checked. */
export type Shape<Given> = { readonly [name in keyof Given]: z.ZodType<Given[name]> }

/** For the `error` of a union of `kinds`, in their order: of the alternatives only the one that was meant is of interest. */
export function describeKinds(kinds: readonly string[]): (issue: { readonly input?: unknown; readonly errors?: unknown }) => string {
  return ({ input, errors }) => {
    const keys = typeof input === 'object' && input !== null ? Object.keys(input) : []
    const meant = kinds.findIndex(kind => keys.includes(kind))
    const found = (errors as readonly (readonly { path: PropertyKey[]; message: string }[])[] | undefined)?.[meant]
    if (found === undefined) return `expected one of ${kinds.join(', ')}`
    return found.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ')
  }
}
