// Stores whose writer fails as told, in a file or in a database: the rows of a failed append may be stored, or not.
import type { GroupWriter, Stores } from 'mcpgw/plugin'
import { createStores } from '../../../core/store/index.ts'

export interface Faults {
  /** Each operation of the writer asks; a string is thrown before the work, `{after}` when it is done. */
  next(): string | { after: string } | undefined
}

export function faulty(dir: string, faults: Faults, url?: string): Stores {
  const stores = createStores({ dataDir: dir, url })
  return {
    ...stores,
    writer: async (path, options) => failing(await stores.writer(path, options), faults),
    postgres() {
      const database = stores.postgres()
      return database && { ...database, writer: async options => failing(await database.writer(options), faults) }
    },
  }
}

function failing(writer: GroupWriter, faults: Faults): GroupWriter {
  let poison: Error | undefined
  const guard = async (work: () => Promise<void>): Promise<void> => {
    const fault = faults.next()
    try {
      if (typeof fault === 'string') throw new Error(fault)
      await work()
      if (fault !== undefined) throw new Error(fault.after)
    } catch (error) {
      poison = error as Error
      throw error
    }
  }
  return {
    append: rows => (poison === undefined ? guard(() => writer.append(rows)) : Promise.reject(poison)),
    recover: () =>
      guard(async () => {
        await writer.recover()
        poison = undefined
      }),
    close: () => writer.close(),
  }
}
