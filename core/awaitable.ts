// Value-or-promise control flow: the hot path makes a promise only where a plugin made one.
import type { Awaitable } from './plugin/index.ts'

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** `next(value)`, at once where the value is there. */
export function chain<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Visits one step after the other and stops at the first that yields something. */
export function walk<S, R>(steps: readonly S[], visit: (step: S) => Awaitable<R | undefined>, from = 0): Awaitable<R | undefined> {
  for (let i = from; i < steps.length; i++) {
    const found = visit(steps[i] as S)
    if (isPromise(found)) return found.then(late => (late === undefined ? walk(steps, visit, i + 1) : late))
    if (found !== undefined) return found
  }
  return undefined
}
