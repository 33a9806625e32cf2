// A repository host: pushes and merges, which only feature branches are open to.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'git', version: '1.0.0' })
const said = text => ({ content: [{ type: 'text', text }] })

server.registerTool(
  'push',
  {
    description: 'Pushes a branch',
    inputSchema: { branch: z.string(), force: z.boolean().optional() },
    annotations: { destructiveHint: true },
  },
  async ({ branch }) => said(`pushed ${branch}`),
)
server.registerTool(
  'merge_branch',
  { description: 'Merges a branch', inputSchema: { branch: z.string() }, annotations: { destructiveHint: true } },
  async ({ branch }) => said(`merged ${branch}`),
)
server.registerTool(
  'log',
  {
    description: 'The newest commits',
    inputSchema: { count: z.number().int().min(1).max(50).optional() },
    annotations: { readOnlyHint: true },
  },
  async ({ count = 10 }) => said(`${count} commits`),
)
await server.connect(new StdioServerTransport())
