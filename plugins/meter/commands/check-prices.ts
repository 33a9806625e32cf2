// `usage --check-prices`: a price for a tool that no server has is mostly a name that was misspelt, and its calls cost something else.
import { type CommandIo, compileGlob, printable } from 'mcpgw/plugin'
import type { MeterConfig, PriceConfig } from '../config.ts'

/** Resolves to the exit code: 0 every price fits something, 1 one does not, 3 where a server cannot be asked. */
export async function checkPrices(io: CommandIo<MeterConfig>): Promise<number> {
  const found = await io.inspect()
  if ('failed' in found) {
    io.err(`usage: ${found.failed}\n`)
    return 3
  }
  const offered: { readonly server: string; readonly name: string }[] = []
  let isPartial = false
  for (const server of found.servers) {
    if ('failed' in server) {
      isPartial = true
      io.err(`usage: server ${server.id} could not be asked: ${server.failed}\n`)
    } else
      offered.push(...[...server.tools, ...server.prompts, { name: 'resources/read' }].map(({ name }) => ({ server: server.id, name })))
  }
  const idle = io.config.prices.filter(rule => !offered.some(one => fits(rule, one)))
  for (const rule of idle) io.out(`no server offers what this price is for: ${printable(describe(rule))}\n`)
  if (idle.length === 0) io.out('every price is for something that a server offers\n')
  return isPartial ? 3 : idle.length > 0 ? 1 : 0
}

function fits({ server, tool }: PriceConfig, offered: { readonly server: string; readonly name: string }): boolean {
  return (server === undefined || compileGlob(server)(offered.server)) && (tool === undefined || compileGlob(tool)(offered.name))
}

function describe({ server, tool, tenant, units }: PriceConfig): string {
  const parts = Object.entries({ server, tool, tenant }).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
  return `${parts.join(', ')}: ${units / 1000}`
}
