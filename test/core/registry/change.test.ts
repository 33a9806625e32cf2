// The difference of two lists of servers, as a property: nothing is lost, nothing is told twice, what is the same is not touched.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { versionsOf } from '../../../core/config/places.ts'
import { defaults, type ListedServer, type RemoteServer } from '../../../core/config/schema.ts'
import { compareFleets } from '../../../core/registry/change.ts'

const server = (id: string, url: string, enabled: boolean, line: number): RemoteServer => ({
  kind: 'remote',
  id,
  name: id,
  url: `http://${url}/mcp`,
  headers: {},
  enabled,
  shared: false,
  protocol: 'auto',
  timeout: defaults.timeout,
  at: { file: 'mcpgw.yaml', line, column: 1 },
})

const fleets = fc.uniqueArray(
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('one', 'two'), fc.boolean(), fc.nat(9)).map(args => server(...args)),
  { selector: ({ id }) => id },
)

test('what is kept is the very object, and added and removed are exactly the rest', () => {
  fc.assert(
    fc.property(fleets, fleets, (before, next) => {
      const there = (list: readonly RemoteServer[]): RemoteServer[] => list.filter(({ enabled }) => enabled)
      const saying = ({ id, ...rest }: ListedServer): string => `${id} ${'url' in rest ? rest.url : ''}`
      const change = compareFleets(before, next)
      const servers = (change?.servers ?? there(before)) as readonly RemoteServer[]
      expect(servers.map(saying)).toEqual(there(next).map(saying))
      const [added, removed] = [change?.added ?? [], change?.removed ?? []]
      for (const one of servers) expect(there(before).includes(one)).toBe(!added.includes(one))
      for (const one of there(before)) expect(servers.includes(one)).toBe(!removed.includes(one))
      if (change === undefined) return
      const named = change.ids
      expect([...named.added, ...named.changed].toSorted()).toEqual(added.map(({ id }) => id).toSorted())
      expect([...named.removed, ...named.changed].toSorted()).toEqual(removed.map(({ id }) => id).toSorted())
    }),
  )
})

test('the same servers in another order are a change that adds and removes nothing', () => {
  const [a, b] = [server('a', 'one', true, 1), server('b', 'one', true, 2)]
  expect(compareFleets([a, b], [server('b', 'one', true, 1), server('a', 'one', true, 5)])).toEqual({
    servers: [b, a],
    added: [],
    removed: [],
    ids: { added: [], changed: [], removed: [] },
  })
})

const versioned = (weights: readonly [number, number], urls: readonly [string, string], auth?: object): ListedServer => ({
  kind: 'versioned',
  id: 'crm',
  name: 'crm',
  enabled: true,
  versions: ['1', '2'].map((version, at) => ({
    weight: weights[at]!,
    pins: { roles: [], consumers: [], tenants: [] },
    server: { ...server('crm', urls[at]!, true, at), version, ...auth },
  })),
})

test('weights that change touch no version, and a version that changes no other', () => {
  const before = versioned([1, 0], ['one', 'two'])
  const [first, second] = versionsOf(before)
  const turned = compareFleets([before], [versioned([0, 1], ['one', 'two'])])!
  expect([turned.added, turned.removed, turned.ids.changed]).toEqual([[], [], ['crm']])
  expect(turned.servers.flatMap(versionsOf)[0]).toBe(first)
  expect(compareFleets([before], [versioned([1, 0], ['one', 'two'])])).toBeUndefined()

  const moved = compareFleets([before], [versioned([1, 0], ['one', 'three'])])!
  expect(moved.removed).toEqual([second])
  expect(moved.added).toMatchObject([{ version: '2', url: 'http://three/mcp' }])
  expect(moved.servers.flatMap(versionsOf)[0]).toBe(first)
})

test('versions that are shown one credential come and go together, but for weights', () => {
  const auth = { auth: { oauth: { issuer: 'https://login.example.com', clientId: 'mcpgw' } } }
  const before = versioned([1, 1], ['one', 'two'], auth)
  expect(compareFleets([before], [versioned([1, 2], ['one', 'two'], auth)])).toMatchObject({ added: [], removed: [] })
  const moved = compareFleets([before], [versioned([1, 1], ['one', 'three'], auth)])!
  expect([moved.added.length, moved.removed]).toEqual([2, versionsOf(before)])
})

test('a server gets versions, and has none again: another one each time', () => {
  const [plain, both] = [server('crm', 'one', true, 1), versioned([1, 1], ['one', 'two'])]
  const [there, back] = [compareFleets([plain], [both])!, compareFleets([both], [plain])!]
  expect([there.added.length, there.removed, there.ids.changed]).toEqual([2, [plain], ['crm']])
  expect([back.added, back.removed.length, back.ids.changed]).toEqual([[plain], 2, ['crm']])
})

test('what is said of a server is told as a change, and touches neither it nor any of its versions', () => {
  const about = { description: 'Searches', owner: 'team-search', tags: ['search'] }
  const before = [server('a', 'one', true, 1), versioned([1, 1], ['one', 'two'])]
  const saying = (words: object): ListedServer[] => [
    { ...server('a', 'one', true, 1), ...words } as RemoteServer,
    versioned([1, 1], ['one', 'two'], words),
  ]
  const next = saying(about).map(one => ({ ...one, ...about }) as ListedServer)
  const change = compareFleets(before, next)!
  expect([change.added, change.removed, change.ids.changed]).toEqual([[], [], ['a', 'crm']])
  expect(change.servers.flatMap(versionsOf)).toEqual(before.flatMap(versionsOf))
  for (const [at, one] of change.servers.flatMap(versionsOf).entries()) expect(one).toBe(before.flatMap(versionsOf)[at])
  // The next time it is nothing new, though the objects that stayed do not say so.
  expect(compareFleets(change.servers, next, next)).toBeUndefined()
  expect(compareFleets(change.servers, before, next)!.ids.changed).toEqual(['a', 'crm'])
})
