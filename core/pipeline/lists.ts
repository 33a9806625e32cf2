// Lists are cosmetics: an item stays where every plugin keeps it. A plugin that fails takes the whole list with it.
import { chain, walk } from '../awaitable.ts'
import type { LiveExchange } from '../exchange.ts'
import { HookFailure } from '../guard.ts'
import type { Awaitable, ListItem } from '../plugin/index.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { type Driver, garbage, isForgiven, undeclared } from './driver.ts'
import type { Step } from './stack.ts'
import { readVerdict } from './verdicts.ts'

export type Narrowing = readonly boolean[] | Refusal

/** `keep[i]` belongs to `items[i]`. */
export function createNarrow(driver: Driver): (x: LiveExchange, items: readonly ListItem[]) => Awaitable<Narrowing> {
  const { stack, guard } = driver
  return (x, items) => {
    const keep = items.map(() => true)
    const take = (step: Step, result: unknown): Refusal | undefined => {
      const failure = narrowBy(step, keep, result)
      if (failure === undefined || isForgiven(driver, x, failure, step.plugin)) return undefined
      return refuse('plugin-failed', [step.plugin.name])
    }
    for (const item of items) Object.freeze(item)
    Object.freeze(items)
    const refused = walk(stack.list, step => chain(guard.call(step.site, step.run, x, items), result => take(step, result)))
    return chain(refused, refusal => refusal ?? keep)
  }
}

function narrowBy({ site, plugin }: Step, keep: boolean[], result: unknown): HookFailure | undefined {
  if (result instanceof HookFailure) return result
  const verdict = readVerdict(result, ['pass', 'narrow'])
  if (verdict === undefined || (verdict.kind === 'narrow' && verdict.keep.length !== keep.length)) return garbage(site, result)
  if (verdict.kind === 'pass') return undefined
  if (!plugin.capabilities.has('narrows-list')) return undeclared(site, 'narrows without "narrows-list"')
  for (const [i, stays] of verdict.keep.entries()) keep[i] &&= stays
  return undefined
}
