// The values that were used last, by key: of more than so many, the one that was used longest ago is forgotten.
export class Recent<V> {
  readonly #values = new Map<string, V>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** The value of `key`, made where there is none; from now on the newest. */
  use(key: string, make: () => V): V {
    const value = this.#values.get(key) ?? make()
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value!)
    return value
  }

  get newest(): string | undefined {
    return [...this.#values.keys()].at(-1)
  }

  values(): Iterable<V> {
    return this.#values.values()
  }

  forget(key: string): void {
    this.#values.delete(key)
  }
}
