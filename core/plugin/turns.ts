// So many at once, and the others after them: for work that takes a process each, or as much.
export interface Turns {
  /**
   * `work` gets the signal by which it is to end. `busy`: too many wait already. `stopped`: it was aborted, or this was closed, before it was
   * done. Rejects as `work` does.
   */
  take<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T | 'busy' | 'stopped'>
  /** Ends all of it; resolves when nothing is at work. */
  close(): Promise<void>
}

export function createTurns(atOnce: number, most: number): Turns {
  const closing = new AbortController()
  const waiting: (() => void)[] = []
  const working = new Set<Promise<unknown>>()
  let taken = 0

  async function take<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T | 'busy' | 'stopped'> {
    if (taken < atOnce) taken += 1
    else if (waiting.length >= most) return 'busy'
    // Whoever ends gives its place to the next one.
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return signal.aborted ? 'stopped' : await work(signal)
    } catch (error) {
      if (signal.aborted) return 'stopped'
      throw error
    } finally {
      const next = waiting.shift()
      if (next === undefined) taken -= 1
      else next()
    }
  }

  return {
    take(signal, work) {
      const done = take(AbortSignal.any([signal, closing.signal]), work)
      working.add(done)
      const end = (): void => void working.delete(done)
      done.then(end, end)
      return done
    },
    async close() {
      closing.abort()
      await Promise.allSettled(working)
    },
  }
}
