// The parser kit, Chevrotain, from its one-file build: its index pulls in 700 modules, a quarter of a second at each start.
import type * as Chevrotain from 'chevrotain'

async function load(): Promise<typeof Chevrotain> {
  try {
    // The package exports its index alone. Where the file is not found (a bundler, another build), the index will do.
    const index = import.meta.resolve('chevrotain')
    return (await import(/* @vite-ignore */ new URL('../chevrotain.min.mjs', index).href)) as typeof Chevrotain
  } catch {
    return await import('chevrotain')
  }
}

export const kit: typeof Chevrotain = await load()
