// What `mcpgw explain` says of the codes of policies: all of the catalogue, complete.
import { expect, test } from 'vitest'
import { catalogue } from '../../../dsl/diagnostics/catalogue.ts'
import { readCodes } from '../../../plugins/policy/codes.ts'

test('every code of the catalogue is explained, with its severity, why, and what is wrong and right', async () => {
  const codes = await readCodes()
  expect(Object.keys(codes)).toEqual(Object.keys(catalogue))
  for (const [code, { severity, title }] of Object.entries(catalogue)) {
    expect(codes[code]).toMatchObject({ severity, text: title, help: expect.stringMatching(/^[A-Z`].+[.)]$/s) })
    const titles = codes[code]!.examples!.map(one => one.title)
    expect([titles[0], titles.at(-1)]).toEqual(['Wrong', 'Right'])
    for (const { text } of codes[code]!.examples!) expect(text).toMatch(/^(policy "|\{).*\}$/s)
  }
})
