// The document of the plain HTTP interface: valid, complete, and enough for a client that is made from it and knows nothing else.
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { OpenAPIClientAxios } from 'openapi-client-axios'
import { expect, it } from 'vitest'
import * as z from 'zod'
import type { Operation } from '../../../core/plugin/index.ts'
import { startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

const opened = closeAfterEach()

const note = {
  name: 'write_note',
  summary: 'Writes a note.',
  route: 'PUT /notes/{id}',
  effect: 'calls',
  scope: 'tenant',
  input: z.strictObject({ id: z.string(), text: z.string().max(5), stars: z.int().optional() }),
  output: z.object({ id: z.string(), text: z.string(), stars: z.int().nullable() }),
  perform: async ({ id, text, stars }: { id: string; text: string; stars?: number }) =>
    text === 'gone'
      ? { kind: 'refused', code: 'conflict', message: 'it is gone' }
      : { kind: 'done', value: { id, text, stars: stars ?? null } },
} as unknown as Operation

interface Tree {
  readonly about: unknown
  readonly parts: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.strictObject({
  about: z.json(),
  get parts() {
    return z.array(tree)
  },
})
/** Its schemas refer to themselves and to parts of themselves. */
const grow = {
  name: 'grow',
  summary: 'Grows a tree.',
  route: 'POST /trees',
  effect: 'calls',
  scope: 'tenant',
  input: z.strictObject({ tree, facts: z.json() }),
  output: tree,
  perform: async ({ tree: grown }: { tree: Tree }) => ({ kind: 'done', value: grown }),
} as unknown as Operation

async function world() {
  const upstream = opened(await startHttpUpstream())
  const gateway = opened(
    await startTestGateway({ servers: [upstream.server('up')], gateway: { tools: ['*'], operators: [] }, operations: [note, grow] }),
  )
  const url = gateway.url.replace(/\/mcp$/, '')
  // biome-ignore lint/suspicious/noExplicitAny: a document that is checked below
  const document: any = await (await fetch(`${url}/openapi.json`)).json()
  return { url, document }
}

it('is valid OpenAPI 3.1, and names every route', async () => {
  const { document } = await world()
  const { valid, errors } = await new Validator().validate(document)
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths).toSorted()).toEqual([
    '/gateway/tools',
    '/notes/{id}',
    '/servers',
    '/servers/{server}',
    '/tools',
    '/tools/{name}/call',
    '/trees',
  ])
  const named = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)
  const missing = [...named].filter(([, of = '', name = '']) => document.components[of][name] === undefined)
  expect(missing).toEqual([])
  expect(JSON.stringify(document)).not.toContain('$defs')
  expect(document.paths['/notes/{id}'].put.requestBody).toMatchObject({
    required: true,
    content: { 'application/json': { schema: { required: ['text'], additionalProperties: false } } },
  })
})

it('makes a client that lists, calls and is refused as the document says', async () => {
  const { url, document } = await world()
  const client = await new OpenAPIClientAxios({
    definition: { ...document, servers: [{ url }] },
    axiosConfigDefaults: { validateStatus: () => true },
  }).init()
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(document, 'document')
  const seen = new Set<string>()
  async function ask(id: string, ...args: unknown[]) {
    // biome-ignore lint/suspicious/noExplicitAny: its methods come from the document
    const { status, data } = await (client as any)[id](...args)
    const [path, method] = routeOf(document, id)
    const { responses } = document.paths[path][method]
    const pointer =
      responses[status].$ref === undefined ? `#/paths/${asPointer(path)}/${method}/responses/${status}` : responses[status].$ref
    const check = ajv.getSchema(`document${pointer}/content/application~1json/schema`)!
    expect([id, status, check(data), check.errors]).toEqual([id, status, true, null])
    seen.add(id)
    return { status, data }
  }
  expect((await ask('tools')).data.tools.map(({ name }: { name: string }) => name)).toContain('up__echo')
  expect((await ask('callTool', { name: 'up__echo' }, { arguments: { text: 'hi' } })).status).toBe(200)
  expect((await ask('callTool', { name: 'nope' }, {})).status).toBe(404)
  expect((await ask('callTool', { name: 'up__echo' }, 'x', { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
  expect((await ask('list_servers')).data.servers).toHaveLength(1)
  expect((await ask('server_status', { server: 'up' })).data.state).toBe('ready')
  expect((await ask('server_status', { server: 'nope' })).status).toBe(404)
  expect((await ask('list_tools', { text: 'echo', limit: 1 })).data.tools).toHaveLength(1)
  expect((await ask('write_note', { id: 'a' }, { text: 'hi', stars: 3 })).data).toEqual({ id: 'a', text: 'hi', stars: 3 })
  expect((await ask('write_note', { id: 'a' }, { text: 'too long' })).status).toBe(400)
  const grown = { about: [1, { is: null }], parts: [{ about: 'leaf', parts: [] }] }
  expect((await ask('grow', null, { tree: grown, facts: {} })).data).toEqual(grown)
  const all = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap(methods =>
    Object.values(methods).map(one => one.operationId),
  )
  expect([...seen].toSorted()).toEqual(all.toSorted())
})

function routeOf(document: { paths: Record<string, Record<string, { operationId: string }>> }, id: string): [string, string] {
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, { operationId }] of Object.entries(methods)) if (operationId === id) return [path, method]
  throw new Error(`no operation ${id}`)
}

function asPointer(path: string): string {
  return encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'))
}
