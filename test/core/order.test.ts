// Rule 1 of the plugin contract: the order of the config is the order; a wrong one is refused, and one that would do is named.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mayListen, type Ordered, proveOrder } from '../../core/order.ts'
import { type Capability, service } from '../../core/plugin/index.ts'

function entry(name: string, capabilities: readonly Capability[] = [], more: Partial<Ordered> = {}): Ordered {
  return { name, capabilities: new Set(capabilities), provides: [], requires: [], discharges: [], ...more }
}
const audit = entry('audit', ['records'])
const auth = entry('auth', ['authenticates'])
const rename = entry('rename', ['rewrites-request'])
const policy = entry('policy', ['decides'])
const redact = entry('redact', ['masks'])
const cache = entry('cache', ['answers'])

test('the order of the design is accepted as it stands', () => {
  expect(proveOrder([audit, entry('ipfilter'), auth, rename, policy, redact, cache])).toEqual([])
  expect(proveOrder([])).toEqual([])
})

test.each([
  ['an authenticator after a decider', [policy, auth], 'auth must stand before policy: the decision needs the caller', 'auth, policy'],
  ['a rewriter after a decider', [policy, rename], 'rename must stand before policy: what is decided is what is sent', 'rename, policy'],
  [
    'a rewriter after a masker',
    [redact, rename],
    'rename must stand before redact: what is rewritten later would not be masked',
    'rename, redact',
  ],
  [
    'an authenticator after a masker',
    [redact, auth],
    'auth must stand before redact: masking starts when the request is final',
    'auth, redact',
  ],
  [
    'a recorder after a masker',
    [redact, audit],
    'audit must stand before redact: on the way back the record takes what masking leaves',
    'audit, redact',
  ],
  [
    'an answerer before the last decider',
    [policy, cache, entry('limits', ['decides'])],
    'limits must stand before cache: only what is allowed is answered',
    'policy, limits, cache',
  ],
  ['an authenticator after an answerer', [cache, auth], 'auth must stand before cache: the answer is for the caller', 'auth, cache'],
  [
    'a rewriter after an answerer',
    [cache, rename],
    'rename must stand before cache: what is answered is what would be sent',
    'rename, cache',
  ],
  [
    'an authenticator after who counts limits',
    [entry('ratelimit', [], { discharges: ['limit'] }), auth],
    'auth must stand before ratelimit: what is limited is the caller',
    'auth, ratelimit',
  ],
])('%s is refused, and the order that would do is named', (_what, plugins, message, order) => {
  expect(proveOrder(plugins)).toMatchObject([{ code: 'plugin-order', message, help: `this order would do: ${order}` }])
})

const Masking = service('masking')

test('a service must be provided earlier, and by somebody, and by one', () => {
  const user = entry('user', [], { requires: [Masking] })
  const provider = entry('provider', [], { provides: [Masking] })
  expect(proveOrder([user, provider])).toMatchObject([{ code: 'plugin-order', help: 'this order would do: provider, user' }])
  expect(proveOrder([user])).toMatchObject([
    { code: 'service-missing', plugin: 'user', message: 'user requires "masking", which no loaded plugin provides' },
  ])
  expect(proveOrder([provider, entry('again', [], { provides: [Masking] })])).toMatchObject([{ code: 'service-twice', plugin: 'again' }])
})

test('a plugin stands once, and an obligation has one discharger', () => {
  expect(proveOrder([audit, policy, audit])).toMatchObject([{ code: 'plugin-twice', plugin: 'audit' }])
  const [one, two] = ['one', 'two'].map(name => entry(name, ['masks'], { discharges: ['redact'] }))
  expect(proveOrder([one!, two!])).toMatchObject([{ code: 'obligation-twice', message: 'one and two both discharge "redact"' }])
})

test('where no order would do, that is said', () => {
  const both = (name: string) => entry(name, ['authenticates', 'decides'])
  expect(proveOrder([both('a'), both('b')])).toMatchObject([{ code: 'plugin-order', help: 'no order would do: take one of them out' }])
})

test('an order that is named is accepted', () => {
  const capabilities: Capability[] = [
    'authenticates',
    'decides',
    'masks',
    'records',
    'answers',
    'rewrites-request',
    'rewrites-response',
    'narrows-list',
  ]
  const stack = fc.array(fc.subarray(capabilities, { maxLength: 2 }), { maxLength: 7 }).map(all =>
    all.map((can, i) =>
      entry(`p${i}`, can, {
        ...(i % 3 === 1 && { provides: [service(`s${i}`)] }),
        ...(i % 3 === 0 && all.length > i + 1 && { requires: [service(`s${i + 1}`)] }),
      }),
    ),
  )
  fc.assert(
    fc.property(stack, plugins => {
      const help = proveOrder(plugins)[0]?.help ?? ''
      const named = /^this order would do: (.*)$/.exec(help)?.[1]?.split(', ')
      if (named === undefined) return
      expect(named.toSorted()).toEqual(plugins.map(one => one.name).toSorted())
      expect(proveOrder(named.map(name => plugins.find(one => one.name === name)!))).toEqual([])
    }),
    { seed: 11, numRuns: 1_000 },
  )
})

test('beyond loopback the gateway listens only with a plugin that authenticates and one that decides', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', 'LOCALHOST']) expect(mayListen(host, [])).toBeUndefined()
  for (const host of [
    '0.0.0.0',
    '::',
    '',
    '192.168.1.4',
    'gateway.example',
    '127.0.0.1.example',
    'localhost.example',
    '127.1',
    '::ffff:127.0.0.1',
  ]) {
    expect(mayListen(host, [auth])).toMatchObject({ code: 'listen-open', message: expect.stringContaining('no loaded plugin decides') })
    expect(mayListen(host, [policy])).toMatchObject({ message: expect.stringContaining('no loaded plugin authenticates') })
    expect(mayListen(host, [])).toMatchObject({ message: expect.stringContaining('authenticates or decides') })
    expect(mayListen(host, [auth, policy])).toBeUndefined()
  }
})
