// Case 22: what would let somebody in by accident stops the start, and one clear line says what it is and where.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli } from './product.ts'

const issuer = { issuer: 'https://login.example' }
const entry = { id: 'key-1', name: 'Agent', consumerId: 'agent-1', roles: ['reader'], enabled: true }
const auth = (config: object): object => ({ plugins: ['audit', { auth: config }] })
const key = (text: string): object => auth({ apiKeys: [{ ...entry, key: text }] })

/** The folder of the data is made by a command that needs no gateway. */
function keysAt(mode: number, file: string) {
  return (dir: string): void => {
    expect(runCli(['keys', 'create', 'An agent', 'agent-1'], dir).code).toBe(0)
    chmodSync(join(dir, '.mcpgw', file), mode)
  }
}

type Refused = [what: string, config: object, message: RegExp, prepare?: (dir: string) => void]
const refused: Refused[] = [
  ['an issuer without an audience', auth({ jwt: [issuer] }), /expected an audience/],
  ['an issuer with an empty audience', auth({ jwt: [{ ...issuer, audience: '' }] }), /expected an audience/],
  ['an issuer that shares a secret', auth({ jwt: [{ ...issuer, audience: 'x', algorithms: ['HS256'] }] }), /algorithms/],
  ['a plugin that there is not', { plugins: ['audit', 'auht'] }, /auht[\s\S]*auth/],
  ['a key that there is not', { plugin: ['auth'] }, /unknown-key[\s\S]*plugins/],
  ['a key of a plugin that there is not', auth({ apikeys: [] }), /apikeys/],
  [
    'a section that nobody enforces',
    { plugins: ['audit'], policies: ['a.policy'] },
    /the section `policies` is enforced by no loaded plugin/,
  ],
  ['an empty API key', key(''), /key-1\): the key is empty/],
  ['the API key of an example', key('gw_your_key_here'), /key-1\): the key is the placeholder of an example/],
  ['a short API key', key('gw_3kZp9QvX'), /key-1\): the key has fewer than 16 characters/],
  ['an API key of one character', key('gw_aaaaaaaaaaaaaaaaaaa'), /key-1\): the key has fewer than 8 different characters/],
  ['a pepper that everybody may change', { plugins: ['audit', 'auth'] }, /chmod 600 \S+keys\.pepper/, keysAt(0o666, 'keys.pepper')],
  ['a pepper that others may read', { plugins: ['audit', 'auth'] }, /chmod 600 \S+keys\.pepper/, keysAt(0o644, 'keys.pepper')],
  ['a key store that everybody may change', { plugins: ['audit', 'auth'] }, /chmod 600 \S+keys\.db/, keysAt(0o666, 'keys.db')],
  [
    'a config that everybody may change',
    { plugins: ['audit'] },
    /every user of this machine can change the config[\s\S]*chmod go-w/,
    dir => chmodSync(join(dir, 'mcpgw.yaml'), 0o666),
  ],
  [
    'a policy that everybody may change',
    { plugins: ['audit', 'auth', 'policy'], policies: ['a.policy'] },
    /a\.policy: others than its owner may change it\. Run: chmod go-w a\.policy/,
    dir => {
      writeFileSync(join(dir, 'a.policy'), 'policy "a" edition 1\n')
      chmodSync(join(dir, 'a.policy'), 0o666)
    },
  ],
]

describe.skipIf(!isBuilt)('mcpgw run is refused with', () => {
  test.each<Refused>(refused)('%s', (_, config, message, prepare) => {
    const dir = createFolder({ 'mcpgw.yaml': JSON.stringify(config, null, 2) })
    prepare?.(dir)
    const { code, out, err: said } = runCli(['run', '--http', '127.0.0.1:0'], dir)
    // Without the lines of the log.
    const err = said.replaceAll(/^\{"level".*\n/gm, '')
    expect(err).toMatch(message)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^error\[[\w-]+\]: .+$/m)
    expect(said).not.toMatch(/gw_your_key_here|gw_3kZp9QvX|gw_aaaaaaaa|ready in/)
    expect(err).not.toMatch(/\n {4}at |this is a bug/)
  })
})
