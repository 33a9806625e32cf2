// What a config injects into servers is known as secret before any server can say it.
import type { InjectedSecret } from '../config/schema.ts'
import type { Log } from '../plugin/index.ts'
import type { KnownSecrets } from '../secrets.ts'

export function learnSecrets(secrets: KnownSecrets, injected: readonly InjectedSecret[], log: Log): void {
  for (const { server, value } of injected) {
    if (!secrets.add(server, value)) log.warn('a secret is too short to be looked for in answers; use at least 8 bytes', { server })
  }
}
