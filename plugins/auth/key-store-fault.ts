// Why the keys cannot be used, as something to be mended: the start is refused with it, and a command ends with 3.
import type { CommandIo } from 'mcpgw/plugin'

/** The message says what is wrong where, and how to mend it. */
export class KeyStoreFault extends Error {
  override readonly name = 'KeyStoreFault'
}

type Run<C> = (io: CommandIo<C>) => Promise<number>

/** A command of keys; what keeps it from them is told, and is no bug of the gateway. */
export function tellingFaults<C>(load: () => Promise<Run<C>>): () => Promise<Run<C>> {
  return async () => {
    const run = await load()
    return async io => {
      try {
        return await run(io)
      } catch (error) {
        if (!(error instanceof KeyStoreFault) && !isOfStore(error)) throw error
        io.err((error as Error).message)
        return 3
      }
    }
  }
}

/** Files and databases that cannot be opened, or went away: what `stores` throws has such a code. */
function isOfStore(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return error instanceof Error && typeof code === 'string' && code.startsWith('store-')
}
