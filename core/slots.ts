// What is under way right now: made for constant coming and going.
// A Map or Set under such use is rebuilt all the time, and each old table keeps the next one alive until a full collection:
// every request of the last seconds is then copied by each minor collection. Slots that are reused have no such chain.

export class Slots<T extends object> {
  readonly #items: (T | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#items.length - this.#free.length
  }

  /** The slot that the item has until it is removed; slots are small integers. */
  add(item: T): number {
    const slot = this.#free.pop() ?? this.#items.length
    this.#items[slot] = item
    return slot
  }

  get(slot: number): T | undefined {
    return this.#items[slot]
  }

  /** False where the slot is empty. */
  remove(slot: number): boolean {
    if (this.#items[slot] === undefined) return false
    this.#items[slot] = undefined
    this.#free.push(slot)
    return true
  }

  /** Those in every `n`th slot from `first` on: a long round in small steps. */
  share(first: number, n: number): T[] {
    const some: T[] = []
    for (let slot = first; slot < this.#items.length; slot += n) {
      const item = this.#items[slot]
      if (item !== undefined) some.push(item)
    }
    return some
  }

  find(is: (item: T) => boolean): T | undefined {
    return this.#items.find(item => item !== undefined && is(item))
  }

  /** A copy, in no particular order. */
  all(): T[] {
    return this.#items.filter(item => item !== undefined)
  }
}
