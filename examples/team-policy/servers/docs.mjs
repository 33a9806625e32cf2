// The handbook: pages as resources, prompts about them, and a tool that asks the model of the client.
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'docs', version: '1.0.0' })
const page = uri => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: `page ${uri.href}` }] })
const ask = text => ({ messages: [{ role: 'user', content: { type: 'text', text } }] })
const question = text => ({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 50 })

server.registerResource('refunds', 'file:///handbook/support/refunds.md', { description: 'How refunds are made' }, page)
server.registerResource('salaries', 'file:///hr/salaries.md', { description: 'Who earns what' }, page)
server.registerResource(
  'handbook',
  new ResourceTemplate('file:///handbook/{+path}', { list: undefined }),
  { description: 'Any page' },
  page,
)
server.registerPrompt('summarise_page', { description: 'Sums a page up', argsSchema: { page: z.string() } }, ({ page: name }) =>
  ask(`Sum up ${name}`),
)
server.registerPrompt('rewrite_page', { description: 'Writes a page anew', argsSchema: { page: z.string() } }, ({ page: name }) =>
  ask(`Rewrite ${name}`),
)
server.registerTool(
  'ask_model',
  { description: 'Answers a question about the handbook, with the model of the client', inputSchema: { question: z.string() } },
  async ({ question: text }) => {
    const { content } = await server.server.createMessage(question(text))
    return { content: [{ type: 'text', text: content.type === 'text' ? content.text : content.type }] }
  },
)
await server.connect(new StdioServerTransport())
