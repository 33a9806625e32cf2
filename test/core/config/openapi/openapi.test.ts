// OpenAPI documents as tools: what each operation becomes, which are chosen, and what is refused with its place.
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderDiagnostics } from '../../../../core/config/render.ts'
import type { RestServer } from '../../../../core/config/schema.ts'
import { writeTracker } from '../../../fixtures/openapi/write-tracker.ts'
import { codesOf, createWorkspace, type Workspace } from '../workspace.ts'

const petstore = readFileSync(new URL('../../../fixtures/openapi/petstore.yaml', import.meta.url), 'utf8')

function around(document: string, more: object = {}, file = 'api.yaml'): Workspace {
  const server = { id: 'api', url: 'https://api.example/v1', openapi: file, ...more }
  return createWorkspace({ [file]: document, 'mcpgw.yaml': JSON.stringify({ servers: [server] }, null, 1) })
}

async function toolsOf(workspace: Workspace): Promise<RestServer['tools']> {
  const { config } = await workspace.accept()
  return (config.servers[0] as RestServer).tools
}

async function told(workspace: Workspace): Promise<string> {
  const result = await workspace.load()
  return renderDiagnostics(result.ok ? result.warnings : result.diagnostics, false)
}

/** A document with these paths and nothing else. */
const withPaths = (paths: object, more: object = {}): string =>
  JSON.stringify({ openapi: '3.1.0', info: { title: 't', version: '1' }, paths, ...more }, null, 1)
const get = (parameters: readonly object[], path = '/a', more: object = {}): string =>
  withPaths({ [path]: { get: { operationId: 'get_a', parameters, responses: {}, ...more } } })

describe('each operation is a tool', () => {
  test('named by its operationId, else by method and path', async () => {
    const tools = await toolsOf(around(petstore))
    expect(tools.map(({ name }) => name)).toEqual(['listPets', 'createPet', 'showPetById', 'put_pets_petId', 'deletePet'])
    const long = await toolsOf(around(withPaths({ [`/${'very-long/'.repeat(9)}x`]: { get: { responses: {} } } })))
    expect(long[0]!.name).toMatch(/^get_very-long_very-long_[A-Za-z0-9_-]+_[0-9a-f]{8}$/)
    expect(long[0]!.name.length).toBeLessThanOrEqual(48)
    expect((await toolsOf(around(withPaths({ [`/${'very-long/'.repeat(9)}x`]: { get: { responses: {} } } }))))[0]!.name).toBe(long[0]!.name)
  })

  test('with what its method promises as hints', async () => {
    const tools = await toolsOf(around(petstore))
    expect(Object.fromEntries(tools.map(({ name, definition }) => [name, definition.annotations]))).toMatchObject({
      listPets: { title: 'List all pets', readOnlyHint: true, idempotentHint: true },
      createPet: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
      put_pets_petId: { readOnlyHint: false, idempotentHint: true },
      deletePet: { readOnlyHint: false, destructiveHint: true },
    })
  })

  test('with parameters and body as its input, in JSON Schema of today', async () => {
    const [list, create, , , remove] = await toolsOf(around(petstore))
    expect(list!.definition.inputSchema).toEqual({
      type: 'object',
      properties: {
        limit: { description: 'How many at once', type: 'integer', maximum: 100 },
        tags: { type: 'array', items: { type: 'string' } },
        status: { type: 'array', items: { type: 'string', enum: ['available', 'sold'] } },
      },
      additionalProperties: false,
    })
    expect(create!.definition.inputSchema).toEqual({
      type: 'object',
      properties: { body: { description: 'The body of the request', $ref: '#/$defs/Pet' } },
      required: ['body'],
      additionalProperties: false,
      $defs: {
        Pet: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string', minLength: 1 },
            tag: { type: ['string', 'null'], enum: ['dog', 'cat', null] },
            weight: { type: 'number', exclusiveMinimum: 0 },
            parents: { type: 'array', items: { $ref: '#/$defs/Pet' } },
          },
        },
      },
    })
    // The credential is the config's, whatever the operation says.
    expect(Object.keys((remove!.definition.inputSchema as { properties: object }).properties)).toEqual(['petId', 'X-Reason'])
  })

  test('with an output only where it is one object in JSON', async () => {
    const tools = await toolsOf(around(petstore))
    const outputs = Object.fromEntries(tools.map(({ name, definition }) => [name, definition.outputSchema]))
    expect(outputs).toMatchObject({ listPets: undefined, deletePet: undefined, put_pets_petId: undefined })
    expect(outputs.createPet).toMatchObject({ type: 'object', required: ['id', 'name'], $defs: { Pet: { type: 'object' } } })
    const without = await toolsOf(around(petstore, { operations: { outputs: false } }))
    expect(without.every(({ definition }) => definition.outputSchema === undefined)).toBe(true)
  })

  test('two parameters of one name are two arguments', async () => {
    const parameters = [
      { name: 'id', in: 'query', schema: { type: 'string' } },
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'filter[a b]', in: 'query', schema: { type: 'string' } },
      { name: 'body', in: 'query', schema: { type: 'string' } },
    ]
    const content = { 'application/json': {} }
    const [tool] = await toolsOf(around(get(parameters, '/a/{id}', { requestBody: { content } })))
    expect(Object.keys((tool!.definition.inputSchema as { properties: object }).properties)).toEqual([
      'id',
      'id_query',
      'filter_a_b_',
      'body',
      'body_json',
    ])
  })
})

test('a document of the size of a real one is read, and only what cannot be sent is in the way', async () => {
  const document = writeTracker(50)
  expect(await told(around(document, {}, 'api.json'))).toContain('POST /upload: its body is no JSON')
  const workspace = around(document, { operations: { exclude: ['upload'] } }, 'api.json')
  const tools = await toolsOf(workspace)
  expect(tools).toHaveLength(350)
  const { warnings } = await workspace.accept()
  expect(warnings[0]!.message).toContain('"X-Forwarded-For" (is a header that no caller may set)')
  const list = tools.find(({ name }) => name === 'things7_list')!
  expect(list.parameters).toEqual([
    { argument: 'page_size_', in: 'query', name: 'page[size]', required: false, style: { kind: 'repeated' } },
    { argument: 'filter', in: 'query', name: 'filter', required: false, style: { kind: 'deep' } },
    { argument: 'sort', in: 'query', name: 'sort', required: false, style: { kind: 'joined', separator: '|' } },
  ])
  expect(tools.find(({ name }) => name === 'things7_update')!.body).toEqual({
    argument: 'body',
    mediaType: 'application/merge-patch+json',
    required: true,
  })
})

describe('operations are chosen', () => {
  const names = async (operations: object) => (await toolsOf(around(petstore, { operations }))).map(({ name }) => name)

  test('by the name of the tool, or by method and path', async () => {
    expect(await names({ include: ['list*', 'GET /pets/*'] })).toEqual(['listPets', 'showPetById'])
    expect(await names({ exclude: ['DELETE *', 'put_*'] })).toEqual(['listPets', 'createPet', 'showPetById'])
  })

  test('a pattern that means nothing is an error at its place, for it may have been meant to keep something out', async () => {
    const said = await told(around(petstore, { operations: { exclude: ['deletepet'] } }))
    expect(said).toContain('no operation of the document is meant by this')
    expect(said).toMatch(/mcpgw\.yaml:\d+:\d+/)
    expect(await told(around(petstore, { operations: { include: ['*'], exclude: ['*'] } }))).toContain(
      'no operation of the document is chosen',
    )
  })
})

describe('refused, with file and line', () => {
  test.each([
    ['a path that is no segment', get([], '/a/../b'), 'a path cannot have . or ..'],
    ['an encoded slash in a path', get([], '/a%2fb'), 'would be another path for some'],
    ['a variable that no parameter explains', get([], '/a/{id}'), 'no parameter says what "{id}" is'],
    [
      'a required map in a query',
      get([{ name: 'f', in: 'query', required: true, schema: { type: 'object' } }]),
      'is a map in the style "form"',
    ],
    ['a list in a path', get([{ name: 'f', in: 'path', required: true, schema: { type: 'array' } }], '/{f}'), 'or a list, in a path'],
    ['another style in a path', get([{ name: 'f', in: 'path', required: true, style: 'matrix' }], '/{f}'), 'is in the style "matrix"'],
    [
      'a required header of the connection',
      get([{ name: 'Connection', in: 'header', required: true }]),
      'is a header that no caller may set',
    ],
    [
      'a required header of a proxy',
      get([{ name: 'X-Forwarded-For', in: 'header', required: true }]),
      'is a header that no caller may set',
    ],
    ['a header that splits', get([{ name: 'a\r\nb', in: 'header', required: true }]), 'is a header that no caller may set'],
    [
      'a reference to a file',
      get([{ name: 'f', in: 'query', schema: { $ref: 'other.yaml#/x' } }]),
      'leads out of the document, and nothing is fetched',
    ],
    ['a reference to nothing', get([{ $ref: '#/components/parameters/x' }]), 'leads nowhere'],
    ['references in a circle', get([{ $ref: '#/paths/~1a/get/parameters/0' }]), 'references to each other'],
    ['no document of 3.0 or 3.1', '{"swagger": "2.0", "paths": {}}', 'expected "openapi: 3.0.x"'],
    [
      'two tools of one name',
      withPaths({ '/a': { get: { operationId: 'x y' }, put: { operationId: 'x_y' } } }),
      'would both be the tool "x_y"',
    ],
    [
      'a number that JSON cannot say',
      '{"openapi":"3.1.0","paths":{"/a":{"get":{"parameters":[{"name":"n","in":"query","schema":{"maximum":1e999}}]}}}}',
      'that JSON cannot say',
    ],
  ])('%s', async (_what, document, message) => {
    const workspace = around(document, {}, 'api.json')
    const result = await workspace.load()
    expect(result.ok).toBe(false)
    const said = await told(workspace)
    expect(said).toContain(message)
    expect(said).toMatch(/--> api\.json:\d+:\d+|api\.json:\d+:\d+/)
  })

  test('a reference to the network: nothing is fetched', async () => {
    const document = get([{ $ref: 'http://169.254.169.254/x' }])
    expect(await told(around(document, {}, 'api.json'))).toContain('leads out of the document, and nothing is fetched')
  })

  test('a schema bomb: more schemas than anybody checks, or nested deeper', async () => {
    const many = { anyOf: Array.from({ length: 10_000 }, () => ({ type: 'string' })) }
    expect(await told(around(get([{ name: 'f', in: 'query', schema: many }]), {}, 'api.json'))).toContain('more than 1500 schemas')
    let deep: object = {}
    for (let n = 0; n < 40; n++) deep = { not: deep }
    const said = await told(around(get([{ name: 'f', in: 'query', schema: deep }]), {}, 'api.json'))
    expect(said).toMatch(/nested deeper than/)
  })

  test('a document that is not there, is none, or lies elsewhere behind a link', async () => {
    expect(await told(around(petstore, { openapi: 'other.yaml' }))).toContain('no such file')
    const outside = createWorkspace({ 'api.yaml': petstore })
    const inside = createWorkspace({
      'mcpgw.yaml': JSON.stringify({ servers: [{ id: 'a', url: 'https://a.example', openapi: 'link.yaml' }] }),
    })
    symlinkSync(join(outside.dir, 'api.yaml'), join(inside.dir, 'link.yaml'))
    expect(await told(inside)).toContain('leads out of the folder of the config')
    expect(codesOf(await around('a: b: c').load())).toContain('config-syntax')
  })
})

describe('tools that stand in the config', () => {
  const load = (tools: object, more: object = {}) =>
    createWorkspace({ 'mcpgw.yaml': JSON.stringify({ servers: [{ id: 'api', url: 'https://api.example', tools, ...more }] }, null, 1) })

  test('are one endpoint each: POST of the arguments to the url, where nothing else is said', async () => {
    const tools = await toolsOf(load([{ name: 'search' }, { name: 'forecast', method: 'GET', path: '/f/{city}', query: ['days'] }]))
    expect(tools[0]).toMatchObject({
      method: 'POST',
      path: [],
      others: 'body',
      definition: { inputSchema: { type: 'object', properties: {} } },
    })
    expect(tools[1]).toMatchObject({
      others: 'query',
      definition: {
        inputSchema: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'string' } }, required: ['city'] },
        annotations: { readOnlyHint: true },
      },
    })
  })

  test.each([
    [[{ name: 'a' }, { name: 'a' }], 'the tool "a" stands twice'],
    [[{ name: 'a', path: '/{x}', input: { type: 'object', properties: {} } }], 'the input has no property "x"'],
    [[{ name: 'a', path: '/..' }], 'a path cannot have . or ..'],
    [[{ name: 'a', path: '/a?b=c' }], 'cannot stand in a path'],
    [[{ name: 'a', path: 'https://other.example/' }], 'a path begins with /'],
    [[{ name: 'a', input: { type: 'string' } }], 'the input of a tool is an object'],
    [[{ name: 'a', input: { type: 'object', properties: { b: { $ref: 'http://x.example/' } } } }], 'nothing is fetched'],
    [[{ name: 'a', path: '/{b}', query: ['b'] }], 'this argument is in the path'],
  ])('%j: %s', async (tools, message) => {
    expect(await told(load(tools))).toContain(message)
  })

  test('keys that mean nothing there are named', async () => {
    expect(await told(load([{ name: 'a' }], { protocol: 'modern' }))).toContain('"protocol" has no meaning')
    expect(await told(load([{ name: 'a' }], { operations: {} }))).toContain('"operations" has no meaning')
    expect(await told(load([{ name: 'a' }], { openapi: 'x' }))).toContain('"tools" has no meaning')
    const command = createWorkspace({ 'mcpgw.yaml': JSON.stringify({ servers: [{ id: 'a', command: 'x', openapi: 'y' }] }) })
    expect(await told(command)).toContain('"openapi" has no meaning for a server with a command')
  })
})
