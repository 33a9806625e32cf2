// A customer register: what a support desk reads, changes and must not carry away. Every customer is invented.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const customers = [
  { customer_id: 'c-1', name: 'Ada Moreno', plan: 'team', ssn: '123-45-6789', cards: [{ brand: 'visa', number: '4242 4242 4242 4242' }] },
  { customer_id: 'c-2', name: 'Bo Lind', plan: 'solo', ssn: '234-56-7890', cards: [] },
]
const answer = value => ({ content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value })
const server = new McpServer({ name: 'crm', version: '1.0.0' })

server.registerTool(
  'get_customer',
  { description: 'Returns one customer', inputSchema: { customer_id: z.string() }, annotations: { readOnlyHint: true } },
  async ({ customer_id }) => answer(customers.find(one => one.customer_id === customer_id) ?? {}),
)
server.registerTool(
  'search_tickets',
  {
    description: 'Tickets of one customer',
    inputSchema: { customer_id: z.string(), limit: z.number().int().min(1).max(500).optional() },
    annotations: { readOnlyHint: true },
  },
  async ({ customer_id, limit = 10 }) => answer({ customer_id, limit, tickets: [] }),
)
server.registerTool(
  'create_refund',
  {
    description: 'Pays money back',
    inputSchema: { customer_id: z.string(), amount: z.number(), currency: z.enum(['EUR', 'USD', 'GBP']) },
    annotations: { destructiveHint: true },
  },
  async ({ amount, currency }) => answer({ refunded: amount, currency }),
)
server.registerTool(
  'export_contacts',
  { description: 'Contacts, page by page', inputSchema: { page_size: z.number().int().optional() }, annotations: { readOnlyHint: true } },
  async ({ page_size = 100 }) => answer({ page_size, contacts: [] }),
)
server.registerTool(
  'send_mail',
  {
    description: 'Sends a message out of the house',
    inputSchema: { to: z.string(), text: z.string() },
    annotations: { openWorldHint: true, destructiveHint: false },
  },
  async ({ to }) => answer({ sent: to }),
)
await server.connect(new StdioServerTransport())
