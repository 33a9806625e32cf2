// What a server makes up is shown by the command line as plain text, whatever its type: no terminal is commanded, nothing falls over.
import { expect, test } from 'vitest'
import { closeAfterEach } from '../data-plane/opened.ts'
import { startStdioUpstream } from '../data-plane/stdio-upstream.ts'
import { createFolder, say } from './run-command.ts'

const opened = closeAfterEach()

test('tools of odd types and with escape sequences are listed and called, and no control character is printed', async () => {
  const contents = ['[null,7,{"type":"image","data":"\u009b31m"},{"type":"text","text":"\\u001b[31mred\u009b"}]', '5', '"text"', 'null']
  let turn = 0
  const upstream = opened(
    await startStdioUpstream({
      tools: [
        '{"name":"ok","description":7}',
        '{"name":"e\\u001b[31m"}',
        '{"name":"e","description":"\\u001b]0;x\\u0007\u009b"}',
        '{"name":"__proto__"}',
      ],
      on: { 'tools/call': received => received.result(`{"content":${contents[turn++]}}`) },
    }),
  )
  const { command, args } = upstream.server('h')
  const dir = createFolder({ 'h.json': JSON.stringify({ mcpServers: { h: { command, args } } }) })
  const said = [await say(dir, ['tools', 'list', '--mcp-json', 'h.json'])]
  for (const _ of contents) said.push(await say(dir, ['tools', 'call', 'h____proto__', '--mcp-json', 'h.json']))
  expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
  expect(said[0]!.out.split('\n')).toHaveLength(4)
  expect(said[1]!.out).toContain('red')
  for (const { out } of said) expect(out).not.toMatch(/(?!\n)\p{Cc}/u)
})
