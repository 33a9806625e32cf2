// An edit of a client's file changes the member that is meant and nothing else, whatever the person who keeps the file likes.
import { parse } from 'jsonc-parser'
import { expect, test } from 'vitest'
import { readObject, removeMember, setMember } from '../../../../core/commands/clients/edit.ts'

const kept = [
  ['an empty object', '{}\n'],
  ['no servers yet', '{ "theme": "dark" }'],
  ['one server, on lines of its own', '{\n  "mcpServers": {\n    "a": {\n      "command": "x"\n    }\n  }\n}\n'],
  [
    'comments and trailing commas',
    '{\n  // all\n  "mcpServers": {\n    "a": {"command": "x"}, // first\n    /* b */ "b": {}, // last\n  },\n}\n',
  ],
  ['a comment behind the last, without a comma', '{\n  "mcpServers": {\n    "a": {} // only\n  }\n}\n'],
  ['tabs and CRLF', '{\r\n\t"mcpServers": {\r\n\t\t"a": {}\r\n\t}\r\n}\r\n'],
  ['all on one line', '{"mcpServers":{"a":{}}}'],
  ['a comma on the next line', '{\n  "mcpServers": {\n    "a": {}\n    , "b": {}\n  }\n}\n'],
] as const
const comments = (text: string): readonly string[] => text.match(/\/\/[^\r\n]*|\/\*.*?\*\//g) ?? []
const read = (text: string): { mcpServers?: Record<string, unknown> } => {
  expect(readObject('f', text), text).toBeTypeOf('object')
  return parse(text, [], { allowTrailingComma: true })
}

test.each(kept)('%s: what is set stands there, and all else as before', (_name, text) => {
  const value = { command: '/node', args: ['run', '--stdio'] }
  const after = setMember(text, ['mcpServers', 'mcpgw'], value)
  expect(read(after)).toEqual({ ...read(text), mcpServers: { ...read(text).mcpServers, mcpgw: value } })
  expect(comments(after)).toEqual(comments(text))
  // Each comment stays on the line of what it is about.
  for (const line of text.split(/\r?\n/).filter(one => one.includes('//'))) expect(after).toContain(line.replace(/,? *\/\/.*/, ''))
  expect(after.includes('\r\n')).toBe(text.includes('\r\n'))
  expect(setMember(after, ['mcpServers', 'mcpgw'], value)).toBe(after)
})

test.each(kept)('%s: what is set and taken out again leaves what was there', (_name, text) => {
  const after = removeMember(setMember(text, ['mcpServers', 'mcpgw'], { url: 'u' }), ['mcpServers', 'mcpgw'])
  expect(read(after)).toEqual({ mcpServers: {}, ...read(text) })
  expect(comments(after)).toEqual(comments(text))
})

test.each(kept)('%s: each member can be taken out, the only and the last one too', (_name, text) => {
  for (const name of Object.keys(read(text).mcpServers ?? {})) {
    const { [name]: _gone, ...rest } = read(text).mcpServers!
    expect(read(removeMember(text, ['mcpServers', name]))).toEqual({ ...read(text), mcpServers: rest })
  }
  expect(removeMember(text, ['mcpServers', 'nobody'])).toBe(text)
})

test('what is no object is told with its place', () => {
  expect(readObject('f.json', '{\n  "a": }')).toBe('f.json:2:8: ValueExpected')
  expect(readObject('f.json', '[]')).toContain('a JSON object is expected')
})
