// Secrets as the rest of the core sees them: where values come from, and how known values are kept from leaving.
import { createCommandStore } from './secrets/command.ts'
import { createFileStore } from './secrets/files.ts'
import { namePattern, type SecretFault, type SecretStore, secretFault } from './secrets/value.ts'

export { KnownSecrets } from './secrets/known.ts'
export type { SecretFault, SecretStore } from './secrets/value.ts'

export interface SecretOptions {
  /** The folder that holds one file a secret. */
  readonly dir: string
  /** `[program, ...args]`: asked instead of the folder; gets the name as its last argument and prints the value. */
  readonly command?: readonly string[]
  /** How long the command may take; 10 000 ms by default. */
  readonly timeoutMs?: number
}

/** One source for every `${secret:NAME}`. Nothing is cached, so a reload sees new values. */
export function createSecretStore(options: SecretOptions): SecretStore {
  const [program, ...args] = options.command ?? []
  const source = program === undefined ? createFileStore(options.dir) : createCommandStore(program, args, options.timeoutMs ?? 10_000)
  return {
    async get(name: string): Promise<string | SecretFault> {
      if (namePattern.test(name)) return source.get(name)
      return secretFault(
        'bad-name',
        `${JSON.stringify(name.slice(0, 80))} is no name of a secret`,
        'Use letters, digits, _ . and -, not starting with . or -, at most 128.',
      )
    },
  }
}
