// So many at once, and the others after them: for work that takes a process each, or as much.
export interface Turns {
  /** `busy`: too many wait already. Rejects where it was aborted before its turn. */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | 'busy'>
  /** Resolves when nothing is at work. */
  idle(): Promise<void>
}

export function createTurns(atOnce: number, most: number): Turns {
  const waiting: (() => void)[] = []
  const working = new Set<Promise<unknown>>()
  let taken = 0

  async function take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | 'busy'> {
    if (taken < atOnce) taken += 1
    else if (waiting.length >= most) return 'busy'
    // Whoever ends gives its place to the next one.
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      signal.throwIfAborted()
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) taken -= 1
      else next()
    }
  }

  return {
    take(signal, work) {
      const done = take(signal, work)
      working.add(done)
      const end = (): void => void working.delete(done)
      done.then(end, end)
      return done
    },
    async idle() {
      await Promise.allSettled(working)
    },
  }
}
