// The parser takes what the reference shows, and tells each mistake where it stands.
import { expect, test } from 'vitest'
import { parsePolicy } from '../../../dsl/syntax/parse.ts'

const parse = (text: string) => parsePolicy({ file: 'a.policy', text })

test('a file with every construct is read whole', () => {
  const { file, diagnostics } = parse(`# who may
policy "p" edition 1 owner "o@x"
let mine = { args.a == "}" } # ours
targets out = slack/post_*, http/fetch
shadow allow when-not {
  who role a in tenant "b c", any except agent call
  call @out, git/"a/b" except git/push
  when { mine }
  unless { false }
  after call v/read_*, read hr/"f:///**" within 1h30m
  then redact("$.a"), limit(20, per: 1h, by: principal), log
  because "why"
  expires 2027-03-31
}
test "t" {
  as { "id": "a" }
  given call v/read_x ago 45m
  at "2026-11-21T10:00:00Z" from "10.0.0.7"
  call crm/get { "a": [1.50, null] }
  expect deny by default, x with log
}
`)
  expect(diagnostics).toEqual([])
  expect(file!.items.map(item => [item.kind, item.name.value])).toEqual([
    ['let', 'mine'],
    ['targets', 'out'],
    ['rule', 'when-not'],
    ['test', 't'],
  ])
  expect(file!.comments.map(({ text, ownLine }) => [text, ownLine])).toEqual([
    ['# who may', true],
    ['# ours', false],
  ])
})
