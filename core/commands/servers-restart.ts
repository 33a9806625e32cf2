// `mcpgw servers restart`: connections and processes of one server begin anew, in all gateways that look at the store.
import { findOperator } from '../operator.ts'
import { printable } from '../plugin/index.ts'
import { listRegistered } from './servers.ts'
import type { VerbIo } from './verb.ts'
import { withKillStore } from './with-kill-store.ts'

/** 0 where gateways are told; 3 where there is no such server, or the store cannot be reached. */
export async function restartServer(io: VerbIo): Promise<number> {
  const server = String(io.args[0])
  return withKillStore(io, async ({ loaded, store, record }) => {
    const registered = await listRegistered(loaded)
    if ('code' in registered) {
      io.err(`error[${registered.code}]: ${registered.message}\n`)
      return 3
    }
    const known = [...loaded.config.servers, ...registered].map(({ id }) => id)
    if (!known.includes(server)) {
      io.err(`error[not-found]: there is no server ${printable(server)}\n  = help: expected one of ${known.map(printable).join(', ')}\n`)
      return 3
    }
    await store.restart({ server, at: Date.now(), by: findOperator() })
    const recorded = await record('server.restart', { server })
    if (io.json) io.out(`${JSON.stringify({ restarted: server, recorded }, null, 2)}\n`)
    else
      io.err(
        `server ${printable(server)} begins anew within a second in all gateways that run. Calls that are under way there are answered.\n`,
      )
    return 0
  })
}
