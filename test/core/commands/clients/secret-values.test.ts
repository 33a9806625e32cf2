// What counts as a secret in a client's file: by its name or its form; and that such lines are shown without.
import { expect, test } from 'vitest'
import { hideSecrets, looksSecret } from '../../../../core/commands/clients/secret-values.ts'

test.each([
  ['GITHUB_TOKEN', 'abc'],
  ['Authorization', 'Bearer abc'],
  ['DB', 'postgres://me:pw@db.example/x'],
  ['X', `ghp_${'a'.repeat(36)}`],
  ['X', 'a8f5f167f44f4964e6c998dee827110c'],
  ['MY_PAT', 'x'],
])('%s: %s is one', (name, value) => {
  expect(looksSecret(name, value)).toBe(true)
})

test.each([
  ['GITHUB_TOKEN', '${env:GITHUB_TOKEN}'],
  ['Authorization', 'Bearer ${input:key}'],
  ['REGION', 'eu-central-1'],
  ['ROOT', '/home/me/a-long-path-with-digits-2026'],
  ['USE_TOKEN', 'true'],
  ['PATH_PREFIX', 'x'],
  ['URL', 'https://db.example:8080/x'],
])('%s: %s is none', (name, value) => {
  expect(looksSecret(name, value)).toBe(false)
})

test('lines are shown with their secrets hidden, and all else', () => {
  expect(hideSecrets('+ "env": { "API_KEY": "s\\"x", "REGION": "eu" }, // c')).toBe(
    '+ "env": { "API_KEY": "(hidden)", "REGION": "eu" }, // c',
  )
})
