// Any client's mcpServers JSON gives its servers, with comments, nested under a gateway, or of odd names.
import { expect, test } from 'vitest'
import { codesOf, createWorkspace } from './workspace.ts'

// With a comment and trailing commas, as people leave them.
const nested = `{
  // As a gateway's own entry in a client's file.
  "mcpServers": {
    "mcp-gateway": {
      "command": "/home/me/venv/bin/python",
      "args": ["-m", "mcp_gateway.server", "--mcp-json-path", "/home/me/mcp.json", "--plugin", "basic"],
      "servers": {
        "k8s-diagnostics": {
          "command": "/opt/k8s-diagnostics-mcp-server",
          "args": [],
          "env": { "KUBECONFIG": "/home/me/.kube/config" },
        },
        "github": {
          "command": "/opt/github-mcp-server",
          "args": [],
          "env": { "GITHUB_TOKEN": "ghp_literal_token_value" },
        },
        "context7": { "command": "npx", "args": ["-y", "@upstash/context7-mcp"] },
        "sequential-thinking": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-sequential-thinking"] },
      },
    },
  },
}
`
const load = (value: unknown, more = {}) => createWorkspace({ 'mcp.json': JSON.stringify(value) }).load({ mcpJson: 'mcp.json', ...more })

test('servers nested under a gateway entry are the servers, and the gateway is not', async () => {
  const { accept } = createWorkspace({ 'mcp.json': nested })
  const { config, injected } = await accept({ mcpJson: 'mcp.json', plugins: ['audit', 'redact'] })
  expect(config.servers.map(({ id }) => id)).toEqual(['k8s-diagnostics', 'github', 'context7', 'sequential-thinking'])
  expect(config.plugins).toEqual([
    { name: 'audit', config: {} },
    { name: 'redact', config: {} },
  ])
  expect(injected).toEqual([{ server: 'github', value: 'ghp_literal_token_value' }])
})

test('the entry of this gateway itself is left out', async () => {
  const gateway = { command: 'node', args: ['gw.js'], env: { MCP_GATEWAY_CONFIG: '/x/gateway.yaml' } }
  const result = await load({ mcpServers: { gateway, time: { command: 'time-mcp' } } })
  expect(result.ok && result.config.servers.map(({ id }) => id)).toEqual(['time'])
  expect(codesOf(result)).toEqual(['ignored-key'])
})

test('remote and disabled servers are read, and names become ids', async () => {
  const result = await load(
    {
      globalShortcut: 'Ctrl+Space',
      mcpServers: {
        'My Files (home)': { command: 'npx', disabled: true, autoApprove: [] },
        old: { type: 'sse', url: 'https://example.com/sse' },
        remote: { type: 'http', url: 'https://example.com/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
      },
    },
    { env: { TOKEN: 'a-token-value' } },
  )
  expect(codesOf(result)).toEqual(['changed-id', 'ignored-key'])
  expect(result.ok && result.config.servers).toMatchObject([
    { id: 'My-Files-home', name: 'My Files (home)', enabled: false },
    { id: 'old', kind: 'remote', protocol: 'sse' },
    { id: 'remote', kind: 'remote', protocol: 'auto', headers: { Authorization: 'Bearer a-token-value' } },
  ])
  expect(result.ok && result.injected).toEqual([{ server: 'remote', value: 'a-token-value' }])
})

test('a slip of the pen, a clash of names and a file without servers are errors', async () => {
  expect(codesOf(await load({ mcpServers: { a: { comand: 'x' } } }))).toEqual(['unknown-key'])
  expect(codesOf(await load({ mcpServers: { 'a b': { command: 'x' }, 'a.b': { command: 'x' } } }))).toContain('duplicate-id')
  expect(codesOf(await load({ mcpServers: { '***': { command: 'x' } } }))).toEqual(['bad-id'])
  expect(codesOf(await load({ mcpServers: { a: {} } }))).toEqual(['missing-key'])
  expect(codesOf(await load({ other: {} }))).toEqual(['missing-key'])
  expect(codesOf(await load({ mcpServers: { a: { command: 'x', args: ['${secret:x}'] } } }))).toEqual(['secret-refused'])
})

test('a restriction that a client kept is not quietly lifted', async () => {
  const result = await load({ mcpServers: { a: { command: 'x', disabledTools: ['rm'] } } })
  expect(result.ok && result.unenforced).toEqual([{ section: 'a.disabledTools', file: 'mcp.json', line: 1 }])
})

test('its servers stand in place of those of the config, which is said', async () => {
  const { accept } = createWorkspace({
    'mcpgw.yaml': 'names: bare\nservers: [{id: a, command: x}]\n',
    'mcp.json': '{"mcpServers":{"b":{"command":"y"}}}',
  })
  const loaded = await accept({ mcpJson: 'mcp.json' })
  expect(loaded.config.servers.map(({ id }) => id)).toEqual(['b'])
  expect(loaded.config.names).toBe('bare')
  expect(codesOf(loaded)).toEqual(['servers-replaced'])
})
