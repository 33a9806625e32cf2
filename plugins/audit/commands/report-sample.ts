// A sample that anybody draws again: of each record it is settled by the seed and its id alone whether it is in, not by the order or the number of the others.
import { hash } from 'node:crypto'

export interface Sample<Item> {
  add(id: string, item: () => Item): void
  /** How many there were to draw from. */
  readonly of: number
  /** In the order in which they were added. */
  items(): readonly Item[]
}

/** Takes the `size` with the smallest hashes of seed and id; a larger sample of the same seed has all of a smaller one. */
export function createSample<Item>(size: number, seed: string): Sample<Item> {
  // Invariant: by hash, smallest first.
  const drawn: { readonly key: string; readonly n: number; readonly item: Item }[] = []
  let of = 0
  return {
    add(id, item) {
      of += 1
      const key = hash('sha256', `${seed}\n${id}`, 'hex')
      if (drawn.length === size && (size === 0 || key >= drawn.at(-1)!.key)) return
      const at = drawn.findIndex(one => one.key > key)
      drawn.splice(at < 0 ? drawn.length : at, 0, { key, n: of, item: item() })
      if (drawn.length > size) drawn.pop()
    },
    get of() {
      return of
    },
    items: () => drawn.toSorted((a, b) => a.n - b.n).map(one => one.item),
  }
}
