// What plugins may ask of the listeners, which come after them: documents for everybody, and the end of what callers have open.
import type { JsonValue, Principal } from '../plugin/index.ts'

export type Published = (rest: string, host: string) => JsonValue | undefined
export type Expelled = (principal: Principal) => boolean

export interface Edge {
  /** Throws where another plugin has published it. */
  publish(name: string, read: Published): void
  /** What is published under a path, `undefined` for nothing. */
  find(path: string, host: string): JsonValue | undefined
  expel(isMeant: Expelled): void
  /** Whoever has something open for callers. */
  onExpel(listener: (isMeant: Expelled) => void): void
}

const PLACE = '/.well-known/'

export function createEdge(): Edge {
  const published = new Map<string, Published>()
  const listeners: ((isMeant: Expelled) => void)[] = []
  return {
    publish(name, read) {
      if (!/^[a-z0-9-]+$/.test(name))
        throw new Error(`"${name}" is no name of a well-known document: expected lower case letters, digits and dashes`)
      if (published.has(name)) throw new Error(`"${name}" is published already`)
      published.set(name, read)
    },
    find(path, host) {
      if (!path.startsWith(PLACE)) return undefined
      const end = path.indexOf('/', PLACE.length)
      const name = path.slice(PLACE.length, end < 0 ? undefined : end)
      return published.get(name)?.(end < 0 ? '' : path.slice(end), host)
    },
    expel(isMeant) {
      for (const listener of listeners) listener(isMeant)
    },
    onExpel(listener) {
      listeners.push(listener)
    },
  }
}
