// Detectors are chosen by name or by group, and a wrong word says which there are.
import { expect, test } from 'vitest'
import { groups, ids, selectDetectors, usual } from '../../../plugins/redact/catalog.ts'
import { config } from '../../../plugins/redact/config.ts'
import { openStage, respond } from './stage.ts'

const idsOf = (words: readonly string[]): readonly string[] => [...new Set(selectDetectors(words, {}).map(({ id }) => id))]

test('each detector is in a group, and all groups but network are on by default', () => {
  expect([...new Set([...groups.values()].flatMap(members => [...members]))].sort()).toEqual([...ids].sort())
  const off = ids.filter(id => !idsOf(usual).includes(id))
  expect(off).toEqual([...groups.get('network')!])
})

test('a group stands for its members, beside names', () => {
  expect(idsOf(['network', 'card'])).toEqual(['card', 'ip', 'mac'])
  expect(idsOf(['pii'])).toEqual(['card', 'ssn', 'iban', 'email', 'phone', 'aba', 'npi'])
})

test('the action for a name goes before that for its group', () => {
  const chosen = selectDetectors(['secrets', 'card'], { secrets: 'mask', jwt: 'replace' })
  const actionOf = (id: string): string | undefined => chosen.find(detector => detector.id === id)?.action
  expect([actionOf('jwt'), actionOf('npm-token'), actionOf('card')]).toEqual(['replace', 'mask', 'mask'])
})

test('a word that names nothing is refused with what there is', async () => {
  const checked = await config['~standard'].validate({ detectors: ['card', 'secret'] })
  expect(checked.issues).toEqual([
    expect.objectContaining({
      path: ['detectors', 1],
      message: expect.stringMatching(/^no detector is called "secret"; there are password, card, .*, pii, national-ids, network, secrets$/),
    }),
  ])
})

test('in a JSON document that is a text, a value right behind an escape is found', async () => {
  const stage = await openStage()
  const answer = async (member: string): Promise<unknown> => {
    const json = await respond(stage, JSON.stringify({ content: [{ type: 'text', text: JSON.stringify({ note: member }) }] }))
    const { content } = JSON.parse(json!) as { content: { text: string }[] }
    return (JSON.parse(content[0]!.text) as { note: string }).note
  }
  expect(await answer('line\n4111111111111111')).toBe('line\n************1111')
  expect(await answer('line\tghp_abcdefghijklmnopqrstuvwxyz0123456789')).toBe('line\t[GITHUB_TOKEN]')
  expect(await answer('x\nssn 123456789')).toBe('x\nssn *****6789')
  expect(await answer('x\nDE89370400440532013000')).toBe('x\n******************3000')
  expect(await answer('x\r\nann@example.com')).toBe('x\r\n[EMAIL]')
})

test('a secret that only the name of its member tells is found by it', async () => {
  const stage = await openStage()
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  const masked = await respond(stage, JSON.stringify({ structuredContent: { SecretAccessKey: secret, other: secret } }))
  expect(JSON.parse(masked!)).toEqual({ structuredContent: { SecretAccessKey: '[AWS_SECRET_KEY]', other: secret } })
})
