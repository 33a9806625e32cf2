// What plugins may ask of the listeners, which come after them: documents for everybody, and the end of what callers have open.
import type { JsonValue, PluginContext } from '../plugin/index.ts'

export type Published = (rest: string, host: string) => JsonValue | undefined
export type Expel = PluginContext['expel']

export interface Edge {
  /** Throws where another plugin has published it. */
  publish(name: string, read: Published): void
  /** What is published under a path, `undefined` for nothing. */
  find(path: string, host: string): JsonValue | undefined
  expel: Expel
  /** Whoever has something open for callers. */
  onExpel(listener: Expel): void
}

const PLACE = '/.well-known/'

export function createEdge(): Edge {
  const published = new Map<string, Published>()
  const listeners: Expel[] = []
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
      const all = listeners.map(listener => listener(isMeant))
      return { sessions: sum(all.map(({ sessions }) => sessions)), requests: sum(all.map(({ requests }) => requests)) }
    },
    onExpel(listener) {
      listeners.push(listener)
    },
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
