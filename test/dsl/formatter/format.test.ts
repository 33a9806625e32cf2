// The formatter has one layout, and drops nothing on the way to it.
import { expect, test } from 'vitest'
import { formatChecked } from '../../../dsl/formatter/checked.ts'

const format = (text: string) => formatChecked({ file: 'a.policy', text })

const CANONICAL = `# Who may do what.
policy "p" edition 1 owner "o@x"

let mine = { args.a == "}" } # ours
let other = { true }

targets out = slack/post_*, http/fetch

# of the desk
allow a {
  # who
  who     role a in tenant "b c", any except agent call # after
  call    @out, git/"a/b" except git/push
  when    { mine }
  after   call v/read_*, read hr/"f:///**" within 1h30m
  then    redact("$.a", "$.b"), limit(20, per: 1h, by: principal), log
  because "why"
  expires 2027-03-31
}

shadow deny b {
  call    a/b
  unless  { a // b
  }
  # the end
}

test "t" {
  as     { "id": "a" }
  given  call v/read_x ago 45m
  at     "2026-11-21T10:00:00Z"  from "10.0.0.7"
  call   crm/get { "a": [1.50, null] }
  expect deny by default, from with log
}

# eof
`

test('the canonical layout stays as it is', () => {
  expect(format(CANONICAL)).toEqual({ text: CANONICAL })
})

test('a file with other white space comes to the same layout', () => {
  const squeezed = CANONICAL.replaceAll(/^ +/gm, '')
    .replaceAll(/^(who|call|when|after|then|unless|as|given|at) +/gm, '$1\t')
    .replaceAll(/, /g, ' ,')
    .replaceAll(/\n/g, '\r\n')
  const { text } = format(squeezed) as { text: string }
  expect(text.replaceAll('\r\n', '\n').replaceAll(/[ ,]+/g, ' ')).toBe(CANONICAL.replaceAll(/^ {2}\}$/gm, '  }').replaceAll(/[ ,]+/g, ' '))
})

test('comments between the parts of a clause stay between them', () => {
  expect(format('policy "p" edition 1\ndeny a{call a/b, # one\n # two\n a/c}')).toEqual({
    text: 'policy "p" edition 1\n\ndeny a {\n  call    a/b, # one\n          # two\n          a/c\n}\n',
  })
})

test('a long list goes on below its first part', () => {
  const list = Array.from({ length: 8 }, (_, i) => `server-${i}/get_something_*`)
  const { text } = format(`policy "p" edition 1 deny a { call ${list.join(',')} }`) as { text: string }
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
  expect(text.split(/\s*,\s*/)).toHaveLength(8)
})

test('a file with a mistake is not formatted', () => {
  expect(format('policy "p" edition 1\npermit a {}')).toMatchObject({ diagnostics: [{ code: 'syntax' }] })
})
