// The difference of two lists of servers, as a property: nothing is lost, nothing is told twice, what is the same is not touched.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaults, type ServerConfig } from '../../../core/config/schema.ts'
import { compareFleets, nameChange } from '../../../core/registry/change.ts'

const server = (id: string, url: string, enabled: boolean, line: number): ServerConfig => ({
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
      const there = (list: readonly ServerConfig[]): ServerConfig[] => list.filter(({ enabled }) => enabled)
      const saying = ({ id, ...rest }: ServerConfig): string => `${id} ${'url' in rest ? rest.url : ''}`
      const change = compareFleets(before, next)
      const servers = change?.servers ?? there(before)
      expect(servers.map(saying)).toEqual(there(next).map(saying))
      const [added, removed] = [change?.added ?? [], change?.removed ?? []]
      for (const one of servers) expect(there(before).includes(one)).toBe(!added.includes(one))
      for (const one of there(before)) expect(servers.includes(one)).toBe(!removed.includes(one))
      if (change === undefined) return
      const named = nameChange(change)
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
  })
})
