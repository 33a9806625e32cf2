// Whatever a test opens is closed after it, the last first.
import { afterEach } from 'vitest'

type Closable = { stop(): Promise<void> } | { close(): Promise<void> }

/** To be called once at the top of a test file; what it returns takes each thing that a test opens. */
export function closeAfterEach(): <T extends Closable>(one: T) => T {
  const open: Closable[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await ('stop' in one ? one.stop() : one.close())
  })
  return one => {
    open.push(one)
    return one
  }
}
