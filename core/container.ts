// The composition root: who makes what, once, and lets go of it in reverse. The only file that knows tsyringe.
import 'reflect-metadata'
import { type DependencyContainer, container as root } from 'tsyringe'
import type { Awaitable } from './plugin/index.ts'

/** Names a service and carries its type. */
export interface Token<T> {
  readonly name: string
  readonly id: symbol
  /** Never set. */
  readonly type?: T
}

export function token<T>(name: string): Token<T> {
  return Object.freeze({ name, id: Symbol(name) })
}

export interface Container {
  /** Registers how to make a service; it is made on the first `get`, once. A second registration here is an error. */
  provide<T>(token: Token<T>, make: (container: Container) => T, release?: (made: T) => Awaitable<void>): void
  /** Throws where nobody provides it, or where making it needs itself; the error names the way there. */
  get<T>(token: Token<T>): T
  has(token: Token<unknown>): boolean
  /** Sees what this one provides and may override it for itself; what this one makes is made from this one's services. */
  child(): Container
  /** Releases children, then everything made here in reverse order, each awaited. What failed to let go is returned. */
  dispose(): Promise<readonly { readonly token: string; readonly error: unknown }[]>
}

export function createContainer(): Container {
  return wrap(root.createChildContainer(), [])
}

/** `path`: tokens that are being made, shared by the whole family. */
function wrap(inner: DependencyContainer, path: Token<unknown>[]): Container {
  const made: { token: Token<unknown>; value: unknown; release: ((value: never) => Awaitable<void>) | undefined }[] = []
  const children: Container[] = []
  let disposed = false

  const self: Container = {
    provide(token, make, release) {
      if (disposed) throw new Error(`${token.name} is provided to a container that is disposed of`)
      // Invariant: tsyringe would let the later registration win in silence.
      if (inner.isRegistered(token.id)) throw new Error(`${token.name} is provided twice`)
      let cell: { value: ReturnType<typeof make> } | undefined
      // Invariant: made by this container whichever descendant asks, so that no override leaks in, and kept here, so that it is released here.
      const build = (): ReturnType<typeof make> => {
        if (cell === undefined) {
          cell = { value: enter(path, token, () => make(self)) }
          made.push({ token, value: cell.value, release })
        }
        return cell.value
      }
      inner.register(token.id, { useFactory: build })
    },
    get<T>(token: Token<T>): T {
      if (disposed) throw new Error(`${token.name} is asked of a container that is disposed of`)
      if (!inner.isRegistered(token.id, true)) throw new Error(`nobody provides ${[...path, token].map(one => one.name).join(' -> ')}`)
      return inner.resolve<T>(token.id)
    },
    has: token => inner.isRegistered(token.id, true),
    child() {
      const child = wrap(inner.createChildContainer(), path)
      children.push(child)
      return child
    },
    async dispose() {
      if (disposed) return []
      disposed = true
      const failed: { token: string; error: unknown }[] = []
      for (const child of children.toReversed()) failed.push(...(await child.dispose()))
      for (const { token, value, release } of made.toReversed()) {
        try {
          await release?.(value as never)
        } catch (error) {
          failed.push({ token: token.name, error })
        }
      }
      await inner.dispose()
      return failed
    },
  }
  return self
}

function enter<T>(path: Token<unknown>[], token: Token<unknown>, make: () => T): T {
  const at = path.findIndex(one => one.id === token.id)
  if (at >= 0) throw new Error(`a circle of services: ${[...path.slice(at), token].map(one => one.name).join(' -> ')}`)
  path.push(token)
  try {
    return make()
  } finally {
    path.pop()
  }
}
