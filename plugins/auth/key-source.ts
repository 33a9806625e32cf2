// Where the keys of an issuer come from: the config, a file, or (in jwks.ts) the issuer itself.
import { type Awaitable, readOwnFile, type Stores } from 'mcpgw/plugin'
import type { IssuerConfig } from './jwt-config.ts'
import { type FoundKey, type KeySet, readKeySet, type VerificationKey } from './key-set.ts'
import { readJsonMap } from './strict-json.ts'

export interface KeySource {
  /** `unavailable`: whether there is such a key cannot be told now. */
  find(kid: string | undefined, algorithm: string): Awaitable<FoundKey | { readonly kind: 'unavailable'; readonly why: string }>
  /** Whether a key that was found is still one of the issuer's. */
  holds(key: VerificationKey): boolean
  /** Reads again what lies in a file; rejects where it cannot be used, and then keeps what it has. */
  reload(): Promise<void>
  stop(): void
}

/** Rejects, naming the issuer and where the keys lie, where one of them cannot be used: whoever writes keys by hand means all of them. */
export async function openFixedKeys(
  config: IssuerConfig,
  given: { file: string } | { keys: readonly unknown[] },
  stores: Stores,
): Promise<KeySource> {
  const load = async (): Promise<KeySet> => {
    const where = 'file' in given ? stores.resolve(given.file) : 'jwks.keys'
    try {
      const set = await readKeySet('file' in given ? readJsonFile(where) : { keys: given.keys }, config.algorithms)
      if (set.unused.length > 0) throw new Error(set.unused.join('; '))
      return set
    } catch (error) {
      throw new Error(`auth: the keys of ${config.issuer} in ${where}: ${(error as Error).message}`)
    }
  }
  let set = await load()
  return {
    find: (kid, algorithm) => set.find(kid, algorithm),
    holds: key => set.has(key),
    async reload() {
      if ('file' in given) set = await load()
    },
    stop() {},
  }
}

const maxBytes = 1_048_576

function readJsonFile(path: string): Readonly<Record<string, unknown>> {
  const read = readJsonMap(readPublicFile(path))
  if ('why' in read) throw new Error(read.why)
  return read.map
}

/** Throws, in a few words, where there is none, or others may have written it. */
export function readPublicFile(path: string): Buffer {
  const found = readOwnFile(path, { isSecret: false, maxBytes })
  switch (found.kind) {
    case 'unreadable':
      throw new Error(`it cannot be read (${found.code})`)
    case 'open':
      throw new Error(`others may change it. Run: chmod go-w ${path}`)
    case 'strange':
      throw new Error(`it ${found.why}. Run: chown root ${path}`)
    case 'too-long':
      throw new Error(`it has more than ${maxBytes} bytes`)
    case 'read':
      return found.bytes
    default:
      throw new Error('there is no such file')
  }
}
