// The command of the client leg: starts a gateway in front of the suite's server (the last argument) and drives the scenario as its client.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { MODERN } from './cells.mjs'
import { startGateway } from './targets.mjs'

const INFO = { name: 'mcpgw-conformance-client', version: '1.0.0' }

const { MCP_CONFORMANCE_SCENARIO: scenario = '', MCP_CONFORMANCE_PROTOCOL_VERSION: revision } = process.env
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')

/** What the client does, once it is connected to the gateway; a scenario that is not here makes the command fail. */
const SCENARIOS = {
  initialize: listTools,
  'request-metadata': listTools,
  'json-schema-ref-no-deref': listTools,
  tools_call: async client => {
    await listTools(client)
    await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } })
  },
  'sse-retry': callEach('test_reconnection'),
  'elicitation-sep1034-client-defaults': callEach('test_client_elicitation_defaults'),
  'sep-2322-client-request-state': async client => {
    await callEach('test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_unrelated')(client)
    // The client itself may refuse an answer that lacks what its revision demands.
    await client.callTool({ name: 'test_mrtr_no_result_type', arguments: {} }).catch(error => console.error(String(error)))
  },
  'http-standard-headers': async client => {
    const tools = await listTools(client)
    await client.callTool({ name: tools[0].name, arguments: {} })
    const { resources } = await client.listResources()
    for (const { uri } of resources) await client.readResource({ uri })
    const { prompts } = await client.listPrompts()
    for (const { name } of prompts) await client.getPrompt({ name, arguments: {} })
  },
  'http-custom-headers': async client => {
    await listTools(client)
    for (const call of context.toolCalls) await client.callTool(call)
  },
  'http-invalid-tool-headers': async client => {
    for (const { name } of await listTools(client)) await client.callTool({ name, arguments: { region: 'us-west1' } })
  },
  'json-schema-2020-12-preservation': async client => {
    const shown = (await listTools(client)).find(tool => tool.name === 'json_schema_2020_12_tool')
    await client.callTool({ name: 'json_schema_echo', arguments: { schema: shown.inputSchema } })
  },
}

async function listTools(client) {
  const { tools } = await client.listTools()
  console.error(`listed: ${tools.map(tool => tool.name).join(', ')}`)
  return tools
}

function callEach(...names) {
  return async client => {
    await listTools(client)
    for (const name of names) console.error(JSON.stringify(await client.callTool({ name, arguments: {} })))
  }
}

/** The official client of the revision; the modern one accepts no other. */
async function connect(url) {
  if (revision === MODERN) {
    const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: {} }
    const client = new ModernClient(INFO, { capabilities, versionNegotiation: { mode: { pin: MODERN } } })
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { confirmed: true } }))
    client.setRequestHandler('sampling/createMessage', async () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'yes' },
    }))
    client.setRequestHandler('roots/list', async () => ({ roots: [] }))
    await client.connect(new ModernTransport(new URL(url)))
    return client
  }
  const client = new LegacyClient(INFO, { capabilities: { elicitation: { form: { applyDefaults: true } } } })
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: {} }))
  await client.connect(new LegacyTransport(new URL(url)))
  return client
}

async function drive(serverUrl) {
  const run = Object.hasOwn(SCENARIOS, scenario) ? SCENARIOS[scenario] : undefined
  if (!run) throw new Error(`no way to drive the scenario ${scenario}`)
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-conformance-client-'))
  const gateway = await startGateway({ url: serverUrl }, dir)
  try {
    const client = await connect(gateway.url)
    await run(client)
    await client.close()
  } finally {
    await gateway.stop()
    console.error(gateway.complaints())
    rmSync(dir, { recursive: true, force: true })
  }
}

await drive(process.argv.at(-1))
