// Checks of the configured servers: is the program there, does the URL answer.
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Environment } from '../../config/locate.ts'
import { placeOf, placesOf, versionsOf } from '../../config/places.ts'
import type { AddressedServer, ChildServer, ConfiguredServer, ReachedServer } from '../../config/schema.ts'
import type { KnownSecrets } from '../../secrets.ts'
import { findProgram } from '../../upstream/child/find-program.ts'
import type { Check } from './check.ts'

/** Looks at one enabled server. `start.ts` has the one that starts it. */
export type ProbeServer = (server: ReachedServer, around: Around) => Promise<Omit<Check, 'name'>>

interface Around {
  readonly env: Environment
  readonly signal: AbortSignal
  /** Takes the values of known secrets out of what a server says. */
  readonly scrub: (text: string) => string
  /** Learns of those that are obtained for the check. */
  readonly secrets: Pick<KnownSecrets, 'hold'>
}

export async function checkServers(servers: readonly ConfiguredServer[], around: Around, probe: ProbeServer): Promise<Check[]> {
  if (servers.length === 0)
    return [{ name: 'servers', status: 'warn', message: 'none', help: 'add one under servers, or give --mcp-json FILE' }]
  return Promise.all(
    // Of a command all instances are the same.
    servers
      .flatMap(server => versionsOf(server))
      .flatMap((server): readonly ReachedServer[] => (server.kind === 'child' ? [server] : placesOf(server)))
      .map(async server => {
        const name = `server ${placeOf(server)}`
        if (!server.enabled) return { name, status: 'ok' as const, message: 'not enabled' }
        const { message, ...found } = await probe(server, around)
        return { name, ...found, message: around.scrub(message) }
      }),
  )
}

export const resolveServer: ProbeServer = (server, around) =>
  server.kind === 'child' ? resolveCommand(server, around) : reach(server, around)

async function resolveCommand({ command, env: own, cwd }: ChildServer, { env }: Around): Promise<Omit<Check, 'name'>> {
  const isFolder = cwd === undefined || (await stat(cwd).catch(() => undefined))?.isDirectory()
  if (isFolder !== true) return { status: 'fail', message: `its working directory ${cwd} does not exist`, help: 'correct cwd' }
  const path = own.PATH ?? env.PATH ?? ''
  const found = await findProgram(command, path, env.PATHEXT)
  if (found !== undefined) return { status: 'ok', message: found }
  const help = isAbsolute(command)
    ? 'correct the path, or make the file executable'
    : `it is looked for in ${path || 'an empty PATH'}; give an absolute path`
  return { status: 'fail', message: `the command ${command} is not found or not executable`, help }
}

// Any answer will do: whether the credential is good shows with the first call, and it is not sent for a check.
async function reach({ url }: AddressedServer, { signal }: Around): Promise<Omit<Check, 'name'>> {
  try {
    const response = await fetch(url, {
      method: 'OPTIONS',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    })
    await response.body?.cancel()
    return { status: 'ok', message: `${new URL(url).host} answers` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return { status: 'fail', message: `${new URL(url).host} does not answer: ${cause}`, help: 'check the URL, the network and the proxy' }
  }
}
