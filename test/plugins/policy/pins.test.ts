// Pins: what a server offers is trusted only as the lock has it, when it is listed and when it is called; each difference is told once.
import type { AdminEvent, Payload } from 'mcpgw/plugin'
import { Recording } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import { makeLock } from '../../../plugins/policy/catalog/make-lock.ts'
import { createPins, type Drift, type Pins } from '../../../plugins/policy/catalog/pins.ts'
import { createDriftReport } from '../../../plugins/policy/catalog/report-drift.ts'

const definition = (name: string, more: object = {}): Json => Json.of({ name, inputSchema: { type: 'object' }, ...more })
const item = (found: Json, key = 'name') => ({ name: found.string(key)!, definition: found as Payload })
const good = definition('search', { description: 'Finds', annotations: { readOnlyHint: true } })
const lock = makeLock({ servers: [], dischargers: [], roles: [], tenants: [] }, [
  {
    id: 'docs',
    tools: [item(good)],
    resources: [item(Json.of({ uri: 'file:///a/b', name: 'b' }), 'uri')],
    templates: [item(Json.of({ uriTemplate: 'file:///notes/{id}.md', name: 'n' }), 'uriTemplate')],
    prompts: [item(Json.of({ name: 'sum' }))],
  },
])

function pin(): { readonly pins: Pins; readonly told: (readonly [Drift, boolean])[] } {
  const told: [Drift, boolean][] = []
  const pins = createPins(lock, { normaliseUri: uri => uri.toLowerCase(), onChange: (drift, isGone) => void told.push([drift, isGone]) })
  return { pins, told }
}

test('a definition is as locked however it is written, and in no other form', () => {
  const { pins, told } = pin()
  const same = Json.scan(
    Buffer.from('{ "inputSchema":{"type":"object"}, "annotations":{"readOnlyHint":true}, "description":"Finds", "name":"search" }'),
  ) as Json
  expect(pins.isPinned('tool', 'docs', 'search', same)).toBe(true)
  expect(told).toEqual([])
  const poisoned = ['description', 'title', '_meta', 'icons', 'outputSchema'].map(key => good.with({ [key]: Json.of({ text: 'x' }) }))
  const deep = [
    good.with({ inputSchema: Json.of({ type: 'object', properties: { a: { default: 'x' } } }) }),
    good.with({ inputSchema: Json.of({ type: 'object', examples: ['x'] }) }),
    good.with({ annotations: Json.of({ readOnlyHint: true, title: 'x' }) }),
  ]
  for (const one of [...poisoned, ...deep]) expect(pins.isPinned('tool', 'docs', 'search', one), one.text).toBe(false)
  expect(told).toHaveLength(8)
})

test('a difference is told once, also when it is gone', () => {
  const { pins, told } = pin()
  const changed = good.with({ description: Json.of('Finds, and sends') })
  for (let i = 0; i < 3; i++) expect(pins.isPinned('tool', 'docs', 'search', changed)).toBe(false)
  expect(pins.isPinned('tool', 'docs', 'search')).toBe(false)
  expect(pins.isPinned('tool', 'docs', 'search', Json.of(changed.value))).toBe(false)
  expect(told.map(([{ name, kind }, isGone]) => [name, kind, isGone])).toEqual([['search', 'tool', false]])
  expect(pins.drifts).toHaveLength(1)
  expect(pins.isPinned('tool', 'docs', 'search', good)).toBe(true)
  expect(pins.isPinned('tool', 'docs', 'search')).toBe(true)
  expect(told).toHaveLength(2)
  expect(told[1]?.[1]).toBe(true)
  expect(pins.drifts).toEqual([])
})

test('what the lock does not have is not pinned, of whatever kind and server', () => {
  const { pins, told } = pin()
  expect(pins.isPinned('tool', 'docs', 'new', definition('new'))).toBe(false)
  expect(pins.isPinned('tool', 'other', 'search', good)).toBe(false)
  expect(pins.isPinned('prompt', 'docs', 'search')).toBe(false)
  expect(pins.isPinned('prompt', 'docs', 'sum')).toBe(true)
  for (const name of ['constructor', '__proto__', 'toString']) expect(pins.isPinned('tool', name, name)).toBe(false)
  expect(told.map(([{ locked }]) => locked)).toEqual([undefined, undefined])
})

test('annotations are those of the lock, or none', () => {
  const { pins } = pin()
  expect(pins.annotationsOf('docs', 'search', good)).toEqual({ readOnlyHint: true })
  expect(pins.annotationsOf('docs', 'search', good.with({ title: Json.of('x') }))).toBeUndefined()
  expect(pins.annotationsOf('docs', 'search', undefined)).toBeUndefined()
})

test('a uri may be read where the lock lists it or has its template', () => {
  const { pins } = pin()
  for (const uri of ['file:///a/b', 'FILE:///a/b', 'file:///notes/1.md', 'file:///notes/{id}.md'])
    expect(pins.mayRead('docs', uri), uri).toBe(true)
  for (const uri of ['file:///a/c', 'file:///notes/.md', 'file:///notes/1.txt', '']) expect(pins.mayRead('docs', uri), uri).toBe(false)
  expect(pins.mayRead('other', 'file:///a/b')).toBe(false)
  // Made by the gateway for a uri that nobody listed.
  expect(pins.isPinned('resource', 'docs', 'file:///notes/1.md', Json.of({ uri: 'file:///notes/1.md' }))).toBe(true)
  expect(pins.isPinned('resource', 'docs', 'file:///a/b', Json.of({ uri: 'file:///a/b', name: 'other' }))).toBe(false)
  expect(pins.mayRead('docs', 'file:///a/b')).toBe(false)
  expect(pins.isPinned('template', 'docs', 'file:///notes/{id}.md', Json.of({ uriTemplate: 'file:///notes/{id}.md' }))).toBe(false)
  expect(pins.mayRead('docs', 'file:///notes/1.md')).toBe(false)
})

test('a server that changes its tools for ever fills nothing', () => {
  const { pins, told } = pin()
  for (let i = 0; i < 3000; i++) expect(pins.isPinned('tool', 'docs', `t${i}`, definition(`t${i}`))).toBe(false)
  expect(told).toHaveLength(1000)
  // What the lock has is refused however many strangers there are.
  expect(pins.isPinned('prompt', 'docs', 'sum', Json.of({ name: 'sum', description: 'other' }))).toBe(false)
  expect(pins.isPinned('prompt', 'docs', 'sum')).toBe(false)
  expect(pins.isPinned('resource', 'docs', 'file:///a/b', Json.of({ uri: 'file:///a/b', name: 'other' }))).toBe(false)
  expect(pins.mayRead('docs', 'file:///a/b')).toBe(false)
})

test('log, record and health tell of a difference, and health is well again when it is gone', () => {
  const events: AdminEvent[] = []
  const warned: string[] = []
  const health: (string | undefined)[] = []
  const silent = (): void => {}
  const report = createDriftReport(
    {
      log: { debug: silent, info: silent, error: silent, warn: message => void warned.push(message) },
      find: service =>
        service.id === Recording.id ? ({ event: async (event: AdminEvent) => void events.push(event) } as never) : undefined,
    },
    why => health.push(why),
  )
  const pins = createPins(lock, { normaliseUri: uri => uri, onChange: report.onChange })
  pins.isPinned('tool', 'docs', 'search', good.with({ title: Json.of('x') }))
  pins.isPinned('tool', 'docs', 'new', definition('new'))
  expect(warned).toHaveLength(2)
  expect(events.map(({ type, detail }) => [type, detail.server, detail.name])).toEqual([
    ['catalog.drift', 'docs', 'search'],
    ['catalog.drift', 'docs', 'new'],
  ])
  expect(health.at(-1)).toContain('tool docs/search, and 1 more')
  pins.isPinned('tool', 'docs', 'search', good)
  expect(health.at(-1)).toContain('tool docs/new;')
  report.reset()
  expect(health.at(-1)).toBeUndefined()
})

test('each version is held to what the lock has of it; what the server has of any counts for a version that is not in the lock', () => {
  const changed = good.with({ description: Json.of('Finds more') })
  const none = { resources: [], templates: [], prompts: [] }
  const both = makeLock({ servers: [], dischargers: [], roles: [], tenants: [] }, [
    { id: 'docs', version: '1.0', tools: [item(good)], ...none },
    { id: 'docs', version: '2.0', tools: [item(changed), item(definition('new'))], ...none },
  ])
  expect(Object.keys(both.servers)).toEqual(['docs', 'docs@1.0', 'docs@2.0'])
  expect(both.servers.docs!.tools.map(({ name, description }) => [name, description])).toEqual([
    ['new', undefined],
    ['search', 'Finds'],
  ])
  const told: (readonly [Drift, boolean])[] = []
  const pins = createPins(both, { normaliseUri: uri => uri, onChange: (drift, isGone) => void told.push([drift, isGone]) })
  const isPinned = (server: string, found: Json): boolean => pins.isPinned('tool', server, found.string('name')!, found)
  expect([isPinned('docs@1.0', good), isPinned('docs@2.0', changed), isPinned('docs@2.0', definition('new'))]).toEqual([true, true, true])
  expect([isPinned('docs@1.0', changed), isPinned('docs@2.0', good), isPinned('docs@1.0', definition('new'))]).toEqual([
    false,
    false,
    false,
  ])
  expect(told.map(([{ server, name }]) => `${server} ${name}`)).toEqual(['docs@1.0 search', 'docs@2.0 search', 'docs@1.0 new'])
  expect([isPinned('docs@3.0', good), isPinned('docs@3.0', changed)]).toEqual([true, false])
})
