// Which era a message is of, and headers that must say what the body says: whatever is ambiguous or untrue is refused before any server sees it.
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway, type TestGateway, type TestGatewayOptions } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'
import { MODERN, type RequestOptions, visitHttp } from '../data-plane/stateless-client.ts'

const opened = closeAfterEach()
async function gatewayTo(servers: TestGatewayOptions['servers'], more: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  return opened(await startTestGateway({ servers, ...more }))
}

type Headers = NonNullable<RequestOptions['headers']>
const V = 'io.modelcontextprotocol'
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

describe('the envelope of a request', () => {
  const claim = { [`${V}/protocolVersion`]: MODERN, [`${V}/clientCapabilities`]: {} }
  const cases: readonly [string, object, Record<string, string>, number, number][] = [
    ['no claim behind a modern header', { method: 'tools/list' }, {}, 400, -32602],
    ['capabilities that are missing', { method: 'tools/list', params: { _meta: { [`${V}/protocolVersion`]: MODERN } } }, {}, 400, -32602],
    [
      'a version that is no string',
      { method: 'tools/list', params: { _meta: { ...claim, [`${V}/protocolVersion`]: 7 } } },
      {},
      400,
      -32602,
    ],
    [
      'capabilities that are no object',
      { method: 'tools/list', params: { _meta: { ...claim, [`${V}/clientCapabilities`]: [] } } },
      {},
      400,
      -32602,
    ],
    ['a log level that is none', { method: 'tools/list', params: { _meta: { ...claim, [`${V}/logLevel`]: 'loud' } } }, {}, 400, -32602],
    [
      'a header of another version',
      { method: 'tools/list', params: { _meta: claim } },
      { 'mcp-protocol-version': '2025-11-25' },
      400,
      -32020,
    ],
    ['a handshake behind a modern header', { method: 'initialize', params: { protocolVersion: '2025-11-25' } }, {}, 400, -32020],
    [
      'a claim with letters of another case',
      { method: 'tools/list', params: { _meta: { [`${V}/ProtocolVersion`]: MODERN } } },
      {},
      400,
      -32600,
    ],
    ['a response', { result: {} }, {}, 400, -32600],
  ]
  it.each(cases)('refuses %s', async (_what, message, headers, status, code) => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const { status: got, text } = await visitHttp(gateway).post(JSON.stringify({ jsonrpc: '2.0', id: 7, ...message }), {
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/list',
      ...headers,
    })
    expect({ status: got, code: JSON.parse(text).error.code }).toEqual({ status, code })
    expect(upstream.of('tools/list')).toHaveLength(0)
  })

  it('names the versions that are spoken where it claims another', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    for (const version of ['2099-01-01', '2025-11-25']) {
      const { status, error, id } = await visitHttp(gateway).ask(
        'server/discover',
        { _meta: { [`${V}/protocolVersion`]: version } },
        { id: 'x', headers: { 'mcp-protocol-version': version } },
      )
      expect({ status, code: error.code, id }).toEqual({ status: 400, code: -32022, id: 'x' })
      expect(error.data).toMatchObject({ supported: [MODERN], requested: version })
    }
  })

  it('decides, not the session that a message names', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const older = await connectHttp(gateway)
    const modern = await visitHttp(gateway).ask('ping', {}, { headers: { 'mcp-session-id': older.sessionId } })
    expect(modern.status).toBe(404)
    const mixed = await older.post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'mcp-protocol-version': MODERN })
    expect(JSON.parse(mixed.text).error.code).toBe(-32602)
    expect((await older.ask('ping')).result).toEqual({})
  })

  it('stands alone: a batch with one in it is refused as a whole', async () => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const older = await connectHttp(gateway, { version: '2025-03-26' })
    const modern = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: { _meta: claim } })
    const { status, text } = await older.post(`[{"jsonrpc":"2.0","id":1,"method":"ping"},${modern}]`)
    expect({ status, code: JSON.parse(text).error.code }).toEqual({ status: 400, code: -32600 })
  })
})

it.each([undefined, '2025-11-25', 5])(
  'initialize is of the older revisions: with a newer one in its header, and %s in its body, it opens nothing',
  async version => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    const _meta = version === undefined ? undefined : { 'io.modelcontextprotocol/protocolVersion': version }
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, _meta },
    })
    const { status, text } = await visitHttp(gateway).post(body, { 'mcp-protocol-version': MODERN })
    expect({ status, code: JSON.parse(text).error.code }).toEqual({ status: 400, code: -32020 })
    expect(gateway.gateway.sessions.size).toBe(0)
  },
)

describe('headers that mirror the body', () => {
  const name = 'up__echo'
  const refused: readonly [string, Headers][] = [
    ['no version', { 'mcp-protocol-version': undefined }],
    ['no method', { 'mcp-method': undefined }],
    ['another method', { 'mcp-method': 'prompts/get' }],
    ['a method in other case', { 'mcp-method': 'TOOLS/CALL' }],
    ['no name', { 'mcp-name': undefined }],
    ['another name', { 'mcp-name': 'up__other' }],
    ['a name of the server itself', { 'mcp-name': 'echo' }],
    ['a name twice', { 'mcp-name': [name, name] }],
    ['a method twice', { 'mcp-method': ['tools/call', 'tools/call'] }],
    ['an older version', { 'mcp-protocol-version': '2025-11-25' }],
    ['a version that nobody knows', { 'mcp-protocol-version': '2099-01-01' }],
    ['a version twice', { 'mcp-protocol-version': [MODERN, MODERN] }],
    ['base64 that is none', { 'mcp-name': '=?base64?dXBfX2VjaG8?=' }],
    ['base64 of something else', { 'mcp-name': base64('up__other') }],
    ['the marks of base64 in other case', { 'mcp-name': base64(name).replace('base64', 'BASE64') }],
  ]
  it.each(refused)('are refused with %s, and recorded', async (_what, headers) => {
    const upstream = opened(await startHttpUpstream())
    const settled: Outcome[] = []
    const recorder = plugin('record', ['records'], { onSettled: (_x, outcome) => void settled.push(outcome) })
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [recorder] })
    const { status, error } = await visitHttp(gateway).ask('tools/call', { name }, { headers })
    expect({ status, code: error.code }).toEqual({ status: 400, code: -32020 })
    expect(settled).toMatchObject([{ kind: 'denied', decision: { code: 'header-mismatch' } }])
    expect(upstream.of('tools/call')).toHaveLength(0)
  })

  const taken: readonly [string, Headers][] = [
    ['names in other case', { 'mcp-name': undefined, 'MCP-NAME': name }],
    ['white space around them', { 'mcp-name': `  ${name}\t` }],
    ['base64', { 'mcp-name': base64(name) }],
  ]
  it.each(taken)('are taken with %s', async (_what, headers) => {
    const upstream = opened(await startHttpUpstream())
    const gateway = await gatewayTo([upstream.server('up')])
    expect((await visitHttp(gateway).ask('tools/call', { name }, { headers })).status).toBe(200)
  })
})

describe('parameters of a tool that are mirrored in headers', () => {
  const schema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      size: { type: 'integer', 'x-mcp-header': 'Size' },
      deep: { type: 'object', properties: { on: { type: 'boolean', 'x-mcp-header': 'On' } } },
    },
  }
  const tool = JSON.stringify({ name: 'echo', inputSchema: schema })
  const cases: readonly [string, object, Headers, boolean][] = [
    [
      'what the body says',
      { region: 'eu', size: 42, deep: { on: true } },
      { 'mcp-param-region': 'eu', 'mcp-param-size': '42', 'mcp-param-on': 'true' },
      true,
    ],
    ['the same in base64', { region: 'eu' }, { 'mcp-param-region': base64('eu') }, true],
    ['a text that is not plain', { region: 'Größe' }, { 'mcp-param-region': base64('Größe') }, true],
    ['the same number', { size: 42 }, { 'mcp-param-size': '42.0' }, true],
    ['nothing where there is nothing', { region: null }, {}, true],
    ['a header that no tool knows', {}, { 'mcp-param-other': 'x' }, true],
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }, false],
    ['another number', { size: 42 }, { 'mcp-param-size': '43' }, false],
    ['nothing for a value', { region: 'eu' }, {}, false],
    ['a value for nothing', {}, { 'mcp-param-region': 'eu' }, false],
    ['two values', { region: 'eu' }, { 'mcp-param-region': ['eu', 'eu'] }, false],
    ['base64 that is none', { region: 'eu' }, { 'mcp-param-region': '=?base64?ZXU?=' }, false],
  ]
  it.each(cases)('%s', async (_what, args, headers, isTaken) => {
    const upstream = opened(await startHttpUpstream({ tools: [tool] }))
    const settled: Outcome[] = []
    const recorder = plugin('record', ['records'], { onSettled: (_x, outcome) => void settled.push(outcome) })
    const gateway = await gatewayTo([upstream.server('up')], { plugins: [recorder] })
    const { status, error } = await visitHttp(gateway).ask('tools/call', { name: 'up__echo', arguments: args }, { headers })
    expect({ status, code: error?.code }).toEqual(isTaken ? { status: 200 } : { status: 400, code: -32020 })
    expect(upstream.of('tools/call')).toHaveLength(isTaken ? 1 : 0)
    expect(settled.map(({ kind }) => kind)).toEqual([isTaken ? 'answered' : 'denied'])
  })
})
