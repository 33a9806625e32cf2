// Whose address counts: only a trusted proxy is believed, from the right, and what cannot be read is nobody's.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createAddresses } from '../../../core/downstream/client-address.ts'

const addresses = createAddresses(['10.0.0.0/8', '::1', 'fd00::/8'])

it.each([
  ['a peer that is no proxy', '203.0.113.5', ['1.2.3.4'], { ip: '203.0.113.5' }],
  ['a proxy that says nothing', '10.0.0.1', [], { ip: '10.0.0.1' }],
  ['one proxy', '10.0.0.1', ['1.2.3.4'], { ip: '1.2.3.4', proxies: ['10.0.0.1'] }],
  ['mapped', '::ffff:10.0.0.1', ['::ffff:1.2.3.4'], { ip: '1.2.3.4', proxies: ['10.0.0.1'] }],
  ['two proxies', '10.0.0.1', ['1.2.3.4, 10.0.0.2'], { ip: '1.2.3.4', proxies: ['10.0.0.1', '10.0.0.2'] }],
  ['what the client forged', '10.0.0.1', ['9.9.9.9, 1.2.3.4'], { ip: '1.2.3.4', proxies: ['10.0.0.1'] }],
  ['in a header of its own', '10.0.0.1', ['9.9.9.9', '1.2.3.4'], { ip: '1.2.3.4', proxies: ['10.0.0.1'] }],
  ['proxies all the way', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], { ip: '10.0.0.3', proxies: ['10.0.0.1', '10.0.0.2'] }],
  ['IPv6', '::1', ['2001:DB8::0:1'], { ip: '2001:db8::1', proxies: ['::1'] }],
  ['garbage', '10.0.0.1', ['unknown'], { ip: '10.0.0.1', unclear: true }],
  ['a port', '10.0.0.1', ['1.2.3.4:80'], { ip: '10.0.0.1', unclear: true }],
  ['octal', '10.0.0.1', ['010.0.0.9'], { ip: '10.0.0.1', unclear: true }],
  ['nothing', '10.0.0.1', [''], { ip: '10.0.0.1', unclear: true }],
  ['garbage behind a proxy', '10.0.0.1', ['1.2.3.4, _hidden, 10.0.0.2'], { ip: '10.0.0.2', proxies: ['10.0.0.1'], unclear: true }],
  ['garbage that nobody trusted wrote', '10.0.0.1', ['x y z, 1.2.3.4'], { ip: '1.2.3.4', proxies: ['10.0.0.1'] }],
  ['a socket that has gone', undefined, ['1.2.3.4'], { ip: '' }],
  ['a zone', 'fe80::1%eth0', [], { ip: 'fe80::1' }],
])('%s', (_what, socket, forwarded, expected) => {
  expect(addresses.of(socket, forwarded)).toEqual(expected)
})

it('a chain that is too long is nobody', () => {
  const { unclear } = addresses.of('10.0.0.1', [Array(40).fill('10.0.0.2').join(',')])
  expect(unclear).toBe(true)
})

it('what an untrusted peer sends changes nothing, and what a client sends through a proxy never takes the place of its address', () => {
  const anything = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('127.0.0.1', '10.0.0.7', 'unknown', ''))
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 5 }), forged => {
      const value = forged.join(', ')
      expect(addresses.of('203.0.113.5', [value])).toEqual({ ip: '203.0.113.5' })
      expect(addresses.of('10.0.0.1', [value, '203.0.113.5']).ip).toBe('203.0.113.5')
      expect(addresses.of('10.0.0.1', [`${value}, 203.0.113.5`]).ip).toBe('203.0.113.5')
    }),
  )
})
