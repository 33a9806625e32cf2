// What the config of auth says and the rest of the config leaves without effect stops the start.
import type { GatewayFacts } from 'mcpgw/plugin'
import { expect, it } from 'vitest'
import { configSchema } from '../../../plugins/auth/config.ts'
import { refuseWithoutEffect } from '../../../plugins/auth/without-effect.ts'
import { audience, issuer } from './tokens.ts'

const certificates = [{ match: { commonName: 'ann' }, principal: { id: 'ann' } }]
const stepUp = (...servers: (string | undefined)[]) => ({
  jwt: [{ issuer, audience }],
  resource: { url: 'https://gw.example', stepUp: servers.map(server => ({ server, scopes: ['write'] })) },
})
const at = (servers: readonly string[], asksForCertificates = false): GatewayFacts => ({ servers, asksForCertificates })
const check = (config: unknown, gateway: GatewayFacts) => () => refuseWithoutEffect(configSchema.parse(config), gateway)

it.each<[string, unknown, GatewayFacts, string]>([
  [
    'a server of a step-up that is misspelt',
    stepUp('crm', 'crn'),
    at(['crm', 'docs']),
    'resource.stepUp[1].server: "crn" is no server, so that its scopes are never asked for; did you mean crm?',
  ],
  ['one whose case is another', stepUp('CRM'), at(['crm']), 'did you mean crm?'],
  ['one that is like none', stepUp('billing'), at(['crm', 'docs']), 'expected one of crm, docs'],
  ['a pattern that fits none', stepUp('c?s-*'), at(['crm']), 'resource.stepUp[0].server'],
  ['a server where there are none', stepUp('crm'), at([]), 'there are none'],
  ['certificates that nobody asks for', { certificates }, at(['crm']), 'certificates: the listener asks nobody'],
])('%s is refused by its field', (_, config, gateway, message) => {
  expect(check(config, gateway)).toThrow(message)
})

it.each<[string, unknown, GatewayFacts]>([
  ['servers that there are', stepUp('crm', 'do*', '*', undefined), at(['crm', 'docs'])],
  ['all servers, where there are none yet', stepUp(undefined), at([])],
  ['certificates that the listener asks for', { certificates }, at([], true)],
])('%s are taken', (_, config, gateway) => {
  expect(check(config, gateway)).not.toThrow()
})
