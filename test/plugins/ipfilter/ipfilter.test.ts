// Who may come, by address; nobody else is heard.
import { describe, expect, it } from 'vitest'
import type { Peer } from '../../../core/plugin/index.ts'
import { checkPlugin } from '../../../core/testing/index.ts'
import { config } from '../../../plugins/ipfilter/config.ts'
import { createFilter } from '../../../plugins/ipfilter/filter.ts'
import ipfilter from '../../../plugins/ipfilter/index.ts'

const peer = (ip: string, more: Partial<Peer> = {}): Peer => ({ transport: 'http', ip, header: () => [], ...more })

describe('the filter', () => {
  it.each([
    ['an allowed one', { allow: ['10.0.0.0/8'], deny: [] }, '10.1.2.3', undefined],
    ['one that is not', { allow: ['10.0.0.0/8'], deny: [] }, '11.1.2.3', '11.1.2.3 is not among those allowed'],
    ['a denied one among the allowed', { allow: ['10.0.0.0/8'], deny: ['10.1.*'] }, '10.1.2.3', '10.1.2.3 is denied'],
    ['without a list of the allowed', { deny: ['10.1.*'] }, '11.1.2.3', undefined],
    ['all of IPv4', { allow: ['0.0.0.0/0'], deny: [] }, '8.8.8.8', undefined],
    ['IPv6 is not IPv4', { allow: ['0.0.0.0/0'], deny: [] }, '2001:db8::1', '2001:db8::1 is not among those allowed'],
    ['6to4 of a denied one', { deny: ['10.0.0.0/8'] }, '2002:a01:203::1', '2002:a01:203::1 is denied'],
    ['6to4 of an allowed one', { allow: ['10.0.0.0/8'], deny: [] }, '2002:a01:203::1', '2002:a01:203::1 is not among those allowed'],
    ['no address at all', { allow: ['0.0.0.0/0', '::/0'], deny: [] }, '', ' is not among those allowed'],
  ])('%s', (_what, given, ip, expected) => {
    expect(createFilter(given)(peer(ip))).toBe(expected)
  })

  it('of whom a proxy says what cannot be read is not let in as the proxy', () => {
    const unclear = peer('10.0.0.1', { unclear: true })
    expect(createFilter({ allow: ['10.0.0.0/8'], deny: [] })(unclear)).toBe('who came through 10.0.0.1 is not clear')
    expect(createFilter({ deny: ['1.2.3.4'] })(unclear)).toBe('who came through 10.0.0.1 is not clear')
  })

  it('whoever started the gateway comes from no address', () => {
    expect(createFilter({ allow: ['10.0.0.0/8'], deny: [] })({ transport: 'stdio', header: () => [] })).toBeUndefined()
  })
})

describe('the config', () => {
  it.each([
    [{}, 'expected allow, deny, or both'],
    [{ allow: [] }, 'an empty list lets nobody in: leave it out to let in all that are not denied'],
    [{ allow: ['10.0.0.1/8'] }, '10.0.0.1/8 has bits behind its prefix: expected 10.0.0.0/8'],
    [{ deny: ['localhost'] }, 'expected an address, a range like 10.0.0.0/8 or 2001:db8::/32, or 10.0.*, found localhost'],
    [{ deny: ['10.*'], trust: [] }, 'Unrecognized key: "trust"'],
  ])('%j is refused', async (given, why) => {
    const checked = await config['~standard'].validate(given)
    expect(checked.issues?.map(issue => issue.message)).toEqual([why])
  })
})

it('is a plugin as the contract wants it', async () => {
  const checks = await checkPlugin(ipfilter, { config: { allow: ['0.0.0.0/0', '::/0'] } })
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
})
