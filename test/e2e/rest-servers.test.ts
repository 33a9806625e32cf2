// Plain HTTP servers behind the built product: an OpenAPI document and listed tools, under policy, redaction and the record as any other server.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeTracker } from '../fixtures/openapi/write-tracker.ts'
import { CLI, createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession } from './rpc.ts'

const KEY = 'k-4711-of-the-petstore'

interface Api {
  readonly origin: string
  readonly requests: { readonly line: string; readonly key: string | undefined; readonly token: string | undefined }[]
}

/** Pets, a token endpoint, and an endpoint for a plain tool: as small as such a server can be. */
async function startApi(): Promise<Api> {
  const pets = [{ id: 1, name: 'Rex', tag: 'dog', owner: 'ada@example.com' }]
  const requests: Api['requests'] = []
  const answer = (request: IncomingMessage, body: string): readonly [number, unknown] => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api')
    if (pathname === '/token') return [200, { access_token: 'token-of-the-gateway', token_type: 'Bearer', expires_in: 300 }]
    if (pathname === '/v1/translate') return [200, { text: String(JSON.parse(body).text).toUpperCase() }]
    if (request.headers['x-api-key'] !== KEY) return [401, { message: 'who are you' }]
    if (pathname === '/v1/pets' && request.method === 'POST') {
      pets.push({ id: pets.length + 1, tag: 'cat', owner: 'nobody', ...JSON.parse(body) })
      return [201, pets.at(-1)]
    }
    if (pathname === '/v1/pets') return [200, pets.slice(0, Number(searchParams.get('limit') ?? 10))]
    const found = pets.find(({ id }) => pathname === `/v1/pets/${id}`)
    return found === undefined ? [404, { message: `no pet at ${pathname}` }] : [200, found]
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += String(chunk)))
    request.on('end', () => {
      const key = request.headers['x-api-key']
      requests.push({ line: `${request.method} ${request.url}`, key: String(key), token: request.headers.authorization })
      const [status, value] = answer(request, body)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const petstore = readFileSync(new URL('../fixtures/openapi/petstore.yaml', import.meta.url), 'utf8')

function folder(config: (origin: string) => object, origin: string, files: Readonly<Record<string, string>> = {}): string {
  const dir = createFolder({ 'petstore.yaml': petstore, ...files })
  mkdirSync(join(dir, '.mcpgw', 'secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, '.mcpgw', 'secrets', 'petstore'), KEY, { mode: 0o600 })
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config(origin), null, 1))
  return dir
}

describe.runIf(isBuilt)('plain HTTP servers', { timeout: 60_000 }, () => {
  test('an API becomes tools that a client calls, and policy, redaction and record hold for them', async () => {
    const api = await startApi()
    const rules = readFileSync(new URL('../fixtures/openapi/pets.policy', import.meta.url), 'utf8')
    const dir = folder(
      origin => ({
        servers: [{ id: 'pets', url: `${origin}/v1`, openapi: 'petstore.yaml', headers: { 'X-Api-Key': '${secret:petstore}' } }],
        policies: ['main.policy'],
        plugins: ['audit', 'policy', 'redact'],
      }),
      api.origin,
      { 'main.policy': rules },
    )
    const product = await startProduct({ dir })
    const client = new Client({ name: 'a test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`${product.origin}/mcp`)) as never)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['pets__listPets', 'pets__createPet', 'pets__showPetById', 'pets__put_pets_petId'])
    // The SDK's client holds the answer against the output schema.
    const made = await client.callTool({ name: 'pets__createPet', arguments: { body: { name: 'Tom', tag: 'cat' } } })
    expect(made.structuredContent).toMatchObject({ id: 2, name: 'Tom' })
    const shown = await client.callTool({ name: 'pets__showPetById', arguments: { petId: '1' } })
    expect(JSON.stringify(shown)).toContain('Rex')
    expect(JSON.stringify(shown)).not.toContain('ada@example.com')
    const listed = await client.callTool({ name: 'pets__listPets', arguments: { limit: 1 } })
    expect(listed.structuredContent).toBeUndefined()
    expect(await client.callTool({ name: 'pets__showPetById', arguments: { petId: '77' } })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'HTTP 404: {"message":"no pet at /v1/pets/77"}' }],
    })
    const seen = api.requests.length
    const session = await openSession(product.origin)
    expect(codeOf(await session.call('pets__deletePet', { petId: '1' }))).toBeDefined()
    expect(codeOf(await session.call('pets__createPet', { body: { name: '' } }))).toBe('invalid-arguments')
    expect((await session.call('pets__showPetById', { petId: '../pets' })).result.isError).toBe(true)
    expect(api.requests).toHaveLength(seen)
    expect(new Set(api.requests.map(({ key }) => key))).toEqual(new Set([KEY]))
    await client.close()
    await product.stop()
    expect(JSON.stringify(readRecords(dir))).not.toContain(KEY)
    const ofPets = readRecords(dir).filter(({ server }) => server === 'pets')
    const answered = ofPets.filter(({ outcome }) => outcome === 'answered').map(({ tool }) => tool)
    expect(answered).toEqual(expect.arrayContaining(['createPet', 'showPetById', 'listPets']))
    const refused = ofPets.filter(({ type }) => type.startsWith('refusal')).map(({ tool }) => tool)
    expect(refused).toEqual(['deletePet', 'createPet'])
  })

  test('a server with listed tools is shown the token that the gateway gets for it', async () => {
    const api = await startApi()
    const dir = folder(
      origin => ({
        servers: [
          {
            id: 'words',
            url: `${origin}/v1`,
            auth: { oauth: { token: `${origin}/token`, clientId: 'mcpgw', clientSecret: '${secret:petstore}' } },
            tools: [
              {
                name: 'translate',
                description: 'Louder',
                path: '/translate',
                input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
              },
            ],
          },
        ],
        plugins: ['audit'],
      }),
      api.origin,
    )
    const product = await startProduct({ dir })
    const session = await openSession(product.origin)
    expect((await session.call('words__translate', { text: 'hello' })).result.structuredContent).toEqual({ text: 'HELLO' })
    expect(api.requests.at(-1)).toMatchObject({ line: 'POST /v1/translate', token: 'Bearer token-of-the-gateway' })
  })

  test('a large document is checked, shown and served', async () => {
    const api = await startApi()
    const dir = folder(
      origin => ({
        servers: [{ id: 'tracker', url: origin, openapi: 'api.json', operations: { exclude: ['upload'] } }],
        plugins: ['audit'],
      }),
      api.origin,
      { 'api.json': writeTracker(25) },
    )
    const shown = runCli(['config', 'show', '--json'], dir)
    expect(shown.code).toBe(0)
    expect(JSON.parse(shown.out).config.servers[0].tools).toContain('things3_get')
    expect(runCli(['servers', 'list'], dir).out).toContain(api.origin)
    // It asks whether the API answers, which this process does.
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'doctor'], { cwd: dir }).catch(
      (error: { stdout: string }) => error,
    )
    expect(stdout).toMatch(/server tracker: .*plain HTTP, 175 tools/)
    const session = await openSession((await startProduct({ dir })).origin)
    expect((await session.ask('tools/list')).result.tools).toHaveLength(175)
    expect((await session.call('tracker__things3_get', { id: 'a/b' })).result.isError).toBe(true)
    await session.call('tracker__get_things3_id_files_path', { id: 'a', path: 'docs/x y.md' })
    expect(api.requests.at(-1)?.line).toBe('GET /things3/a/files/docs/x%20y.md')
  })
})
