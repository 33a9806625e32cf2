// Every tool of every server is listed, unchanged but for its name.
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Tool } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { createCapableClient, createPlainClient, defaultAnswers } from './clients.ts'
import { realServers, type Sandbox, type ServerEntries } from './servers.ts'
import { describeEachWay, openConnection, useConnection, type Way } from './ways.ts'

const SERVERS = ['everything', 'filesystem', 'memory', 'thinking'] as const

function describeLists(how: string, makeClient: () => Client, counts: Record<(typeof SERVERS)[number], number>): void {
  const setup = { servers: realServers, client: makeClient }
  describeEachWay(`tools/list ${how}`, (way: Way) => {
    const connection = useConnection(way, setup)

    test.each(SERVERS)('shows each tool of %s as the server describes it', async server => {
      const { client, named } = connection().link(server)
      const prefix = named('')
      const listed = (await listTools(client)).filter(tool => tool.name.startsWith(prefix))
      expect(listed).toHaveLength(counts[server])
      const direct = await openConnection('direct', { ...setup, servers: sandbox => pickServer(sandbox, server) })
      try {
        const own = await listTools(direct.link(server).client)
        expect(forget(listed, direct.sandbox.root, connection().sandbox.root)).toEqual(
          own.map(tool => ({ ...tool, name: named(tool.name) })),
        )
      } finally {
        await direct.close()
      }
    })

    test('shows no tool twice', async () => {
      const names = (await listTools(connection().link('everything').client)).map(tool => tool.name)
      expect(new Set(names).size).toBe(names.length)
    })
  })
}

function pickServer(sandbox: Sandbox, server: string): ServerEntries {
  return Object.fromEntries(Object.entries(realServers(sandbox)).filter(([name]) => name === server))
}

/** All pages. */
async function listTools(client: Client): Promise<Tool[]> {
  const tools: Tool[] = []
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await client.listTools(cursor === undefined ? {} : { cursor })
    tools.push(...page.tools)
    cursor = page.nextCursor
  }
  return tools
}

/** Two connections have two sandboxes; a description may name its folder. */
function forget(tools: Tool[], to: string, from: string): Tool[] {
  return JSON.parse(JSON.stringify(tools).replaceAll(from, to))
}

describeLists('for a client without capabilities', createPlainClient, { everything: 13, filesystem: 14, memory: 9, thinking: 1 })
describeLists('for a client with all capabilities', () => createCapableClient(defaultAnswers()), {
  everything: 19,
  filesystem: 14,
  memory: 9,
  thinking: 1,
})
