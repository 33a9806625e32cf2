// A store of secrets: whoever has read one is watched from then on.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'vault', version: '1.0.0' })
const names = ['mail-relay', 'deploy-key']

server.registerTool('list_names', { description: 'Names of the secrets', annotations: { readOnlyHint: true } }, async () => ({
  content: [{ type: 'text', text: names.join('\n') }],
}))
server.registerTool(
  'read_secret',
  { description: 'Returns one secret', inputSchema: { name: z.string() }, annotations: { readOnlyHint: true } },
  async ({ name }) => ({ content: [{ type: 'text', text: `the ${name} is four words long` }] }),
)
await server.connect(new StdioServerTransport())
