// Who has which version: pins in the order of the config, shares that follow the weights, and nobody moved without need.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaults, type VersionedServer, type VersionPins } from '../../../core/config/schema.ts'
import { assign, type Viewer } from '../../../core/relay/assignment.ts'

interface Given {
  readonly weight?: number
  readonly pins?: Partial<VersionPins>
}
const NOBODY = { roles: [], consumers: [], tenants: [] }
const never = (): boolean => false

function serverOf(given: Readonly<Record<string, Given>>): VersionedServer {
  return {
    kind: 'versioned',
    id: 'crm',
    name: 'crm',
    enabled: true,
    versions: Object.entries(given).map(([version, { weight = 1, pins = {} }]) => ({
      weight,
      pins: { ...NOBODY, ...pins },
      server: {
        kind: 'remote',
        id: 'crm',
        name: 'crm',
        version,
        url: `http://${version}/mcp`,
        headers: {},
        enabled: true,
        shared: false,
        protocol: 'auto',
        timeout: defaults.timeout,
      },
    })),
  }
}

const viewer = (id: string, more: { tenant?: string; roles?: readonly string[]; method?: string } = {}): NonNullable<Viewer> => ({
  id,
  tenant: more.tenant ?? 'acme',
  roles: more.roles ?? [],
  via: { method: more.method ?? 'api-key' },
})
const given = (server: VersionedServer, who: Viewer, isOut: Parameters<typeof assign>[2] = never, held?: string): string =>
  assign(server, who, isOut, held).version!
const weights = (...all: readonly number[]): VersionedServer =>
  serverOf(Object.fromEntries(all.map((weight, at) => [`${at + 1}.0`, { weight }])))

describe('pins', () => {
  it('name a caller by his role, himself or his tenant; the first that fits is taken, whatever its weight', () => {
    const server = serverOf({
      '1.0': { weight: 5 },
      '2.0': { weight: 0, pins: { roles: ['beta'], consumers: ['ann'] } },
      '3.0': { weight: 0, pins: { tenants: ['globex'], roles: ['beta', 'next'] } },
    })
    expect(given(server, viewer('x', { roles: ['other', 'beta'] }))).toBe('2.0')
    expect(given(server, viewer('ann', { tenant: 'globex' }))).toBe('2.0')
    expect(given(server, viewer('x', { tenant: 'globex' }))).toBe('3.0')
    expect(given(server, viewer('x', { roles: ['next'] }))).toBe('3.0')
    expect([given(server, viewer('x')), given(server, undefined)]).toEqual(['1.0', '1.0'])
  })
})

const WEIGHTS = fc.array(fc.nat(20), { minLength: 2, maxLength: 5 }).filter(all => all.some(one => one > 0))
const callers = Array.from({ length: 4000 }, (_, at) => viewer(`caller-${at}`, { tenant: at % 3 === 0 ? 'acme' : 'globex' }))

describe('shares', () => {
  // The callers are the same in each run, so that it cannot fail by chance; six standard deviations are far from what an even hash does.
  it.each([[[1, 1]], [[9, 1]], [[1, 99]], [[3, 0, 5]], [[1, 2, 3, 4]]])('follow the weights %j', all => {
    const server = weights(...all)
    const counts = new Map<string, number>()
    for (const caller of callers) counts.set(given(server, caller), (counts.get(given(server, caller)) ?? 0) + 1)
    const sum = all.reduce((total, one) => total + one, 0)
    for (const [at, weight] of all.entries()) {
      const share = weight / sum
      const expected = share * callers.length
      const bound = 6 * Math.sqrt(expected * (1 - share))
      expect(Math.abs((counts.get(`${at + 1}.0`) ?? 0) - expected)).toBeLessThanOrEqual(bound)
    }
  })

  it('are drawn anew for each server: who tries out one tries out no other for that', () => {
    const [crm, git] = [weights(1, 1), { ...weights(1, 1), id: 'git' }]
    const both = callers.filter(caller => given(crm, caller) === given(git, caller)).length
    expect(Math.abs(both - callers.length / 2)).toBeLessThan(6 * Math.sqrt(callers.length / 4))
  })
})

describe('a caller', () => {
  const somebody = fc.record({
    id: fc.string({ maxLength: 20 }),
    tenant: fc.string({ maxLength: 10 }),
    method: fc.constantFrom('jwt', 'api-key'),
  })

  it('has the same version each time, and in whatever order the versions stand', () => {
    fc.assert(
      fc.property(WEIGHTS, somebody, (all, { id, ...more }) => {
        const server = weights(...all)
        const who = viewer(id, more)
        expect(given({ ...server, versions: server.versions.toReversed() }, who)).toBe(given(server, who))
        expect(given(server, { ...who, roles: ['another'] })).toBe(given(server, who))
      }),
    )
  })

  it('moves only to a version that weighs more than before, or from one that weighs less', () => {
    fc.assert(
      fc.property(WEIGHTS, fc.nat(4), fc.nat(40), somebody, (all, at, next, { id, ...more }) => {
        const index = at % all.length
        const changed = all.with(index, next)
        if (changed.every(one => one === 0)) return
        const [before, after] = [given(weights(...all), viewer(id, more)), given(weights(...changed), viewer(id, more))]
        if (before === after) return
        expect(next > all[index]! ? after : before).toBe(`${index + 1}.0`)
      }),
    )
  })

  it('of a version that is taken out has another, and all others stay; back in, he has his own again', () => {
    fc.assert(
      fc.property(WEIGHTS, fc.nat(4), somebody, (all, at, { id, ...more }) => {
        const server = weights(...all)
        const out = `${(at % all.length) + 1}.0`
        const own = given(server, viewer(id, more))
        const now = given(server, viewer(id, more), one => one.version === out)
        if (own === out) expect(now).not.toBe(out)
        else expect(now).toBe(own)
        expect(given(server, viewer(id, more), never)).toBe(own)
      }),
    )
  })

  it('who is pinned to a version that is out is pinned to the next that fits, else he has his share', () => {
    const server = serverOf({ '1.0': { weight: 0 }, '2.0': { pins: { roles: ['beta'] } }, '3.0': { weight: 0, pins: { roles: ['beta'] } } })
    const who = viewer('x', { roles: ['beta'] })
    expect(given(server, who, one => one.version === '2.0')).toBe('3.0')
    expect(given(server, who, one => one.version !== '1.0')).toBe('1.0')
  })

  it('keeps what he holds as long as it is there, and has that of all that are out which he would have', () => {
    const server = serverOf({ '1.0': { weight: 1 }, '2.0': { weight: 0 } })
    expect(given(server, viewer('x'), never, '2.0')).toBe('2.0')
    expect(given(server, viewer('x'), one => one.version === '2.0', '2.0')).toBe('1.0')
    expect(given(server, viewer('x'), never, '0.9')).toBe('1.0')
    expect(given(server, viewer('x'), () => true)).toBe('1.0')
  })
})
