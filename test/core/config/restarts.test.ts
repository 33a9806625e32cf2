// What of a config can be taken while the gateway runs: its servers, and nothing else unnoticed.
import { expect, test } from 'vitest'
import { findRestarts } from '../../../core/config/restarts.ts'
import { defaults, type GatewayConfig } from '../../../core/config/schema.ts'

const config: GatewayConfig = {
  listen: defaults.listen,
  servers: [],
  plugins: [
    { name: 'audit', config: {}, at: { file: 'a', line: 1, column: 1 } },
    { name: 'policy', config: { files: ['a'] } },
  ],
  policies: ['a'],
  store: { dir: '/data' },
  secrets: {},
  limits: defaults.limits,
  names: 'qualified',
  refusals: 'result',
  log: 'info',
  metrics: {},
}
const paths = (next: Partial<GatewayConfig>): string[] => findRestarts(config, { ...config, ...next }).map(path => path.join('.'))

test('servers and places in a file need none', () => {
  const [audit, policy] = config.plugins as [GatewayConfig['plugins'][0], GatewayConfig['plugins'][0]]
  expect(paths({ plugins: [{ ...audit, at: { file: 'a', line: 9, column: 9 } }, policy] })).toEqual([])
})

test.each<[keyof GatewayConfig, Partial<GatewayConfig>]>([
  ['listen', { listen: { ...defaults.listen, port: 1 } }],
  ['policies', { policies: ['b'] }],
  ['store', { store: { dir: '/other' } }],
  ['secrets', { secrets: { command: ['x'] } }],
  ['limits', { limits: { ...defaults.limits, depth: 3 } }],
  ['names', { names: 'bare' }],
  ['refusals', { refusals: 'error' }],
  ['log', { log: 'debug' }],
  ['metrics', { metrics: { token: 'x' } }],
  ['gateway', { gateway: { tools: ['*'], operators: [] } }],
])('%s needs one', (section, next) => {
  expect(paths(next)).toEqual([section])
})

test('of plugins it says which: their list, one that is another, the config of one', () => {
  const [audit, policy] = config.plugins as [GatewayConfig['plugins'][0], GatewayConfig['plugins'][0]]
  expect(paths({ plugins: [audit] })).toEqual(['plugins'])
  expect(paths({ plugins: [policy, audit] })).toEqual(['plugins.0.name'])
  expect(paths({ plugins: [audit, { ...policy, config: {} }] })).toEqual(['plugins.1.config'])
})

test('a key of the certificate that is a secret is asked for again anyway', () => {
  const tls = { cert: '/c', key: 'PEM one', keySecret: 'k', clientCertificates: 'none', minVersion: '1.2', root: '/' } as const
  const before = { ...config, listen: { ...config.listen, tls } }
  expect(findRestarts(before, { ...config, listen: { ...config.listen, tls: { ...tls, key: 'PEM two' } } })).toEqual([])
})
