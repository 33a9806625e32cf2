// What plugins publish for everybody, and how they end what callers have open.
import { expect, it } from 'vitest'
import { createEdge } from '../../../core/kernel/edge.ts'

it('a document is found under its name and below, and nowhere else', () => {
  const edge = createEdge()
  edge.publish('oauth-protected-resource', (rest, host) => (rest === '/mcp/none' ? undefined : { rest, host }))
  expect(edge.find('/.well-known/oauth-protected-resource', 'gw:1')).toEqual({ rest: '', host: 'gw:1' })
  expect(edge.find('/.well-known/oauth-protected-resource/mcp/crm', 'gw:1')).toEqual({ rest: '/mcp/crm', host: 'gw:1' })
  for (const path of ['/oauth-protected-resource', '/.well-known/other', '/.well-known/oauth-protected-resource-2', '/.well-known/'])
    expect(edge.find(path, 'gw:1')).toBeUndefined()
  expect(edge.find('/.well-known/oauth-protected-resource/mcp/none', 'gw:1')).toBeUndefined()
})

it('a name is published once, and is a name', () => {
  const edge = createEdge()
  edge.publish('a', () => 1)
  expect(() => edge.publish('a', () => 2)).toThrow('"a" is published already')
  for (const name of ['', 'a/b', '..', 'A', 'a b'])
    expect(() => edge.publish(name, () => 1)).toThrow('expected lower case letters, digits and dashes')
})
