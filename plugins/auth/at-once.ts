// Goes on with a value that is there, or that will be: what is there already is not waited for.
import type { Awaitable } from 'mcpgw/plugin'

export function goOn<Given, Result>(value: Awaitable<Given>, next: (value: Given) => Awaitable<Result>): Awaitable<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}
