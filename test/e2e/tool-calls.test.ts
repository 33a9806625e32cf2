// Every tool of the real servers answers a sensible call, and a wrong call gets the server's own error.
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { createCapableClient, defaultAnswers } from './clients.ts'
import { realServers } from './servers.ts'
import { TESTED_ELSEWHERE, TOOL_CASES } from './tool-cases.ts'
import { describeEachWay, useConnection } from './ways.ts'

describeEachWay('tools/call', way => {
  const connection = useConnection(way, {
    servers: realServers,
    client: (_, { files }) => createCapableClient(defaultAnswers([{ uri: pathToFileURL(files).href, name: 'files' }])),
  })

  test.each(TOOL_CASES.map((each, index) => ({ ...each, index })))('$server $tool answers ($index)', async each => {
    const { client, named } = connection().link(each.server)
    const result = await client.callTool({ name: named(each.tool), arguments: each.arguments(connection().sandbox) })
    expect(result.isError ?? false).toBe(false)
    expect(JSON.stringify(result)).toMatch(each.shows)
  })

  test.each(['everything', 'filesystem', 'memory', 'thinking'])('no tool of %s is forgotten here', async server => {
    const { client, named } = connection().link(server)
    const { tools } = await client.listTools()
    const known = new Set([...TOOL_CASES.filter(each => each.server === server).map(each => each.tool), ...TESTED_ELSEWHERE].map(named))
    expect(tools.map(tool => tool.name).filter(name => name.startsWith(named('')) && !known.has(name))).toEqual([])
  })

  test('arguments that the server refuses come back as the server says it', async () => {
    const { client, named } = connection().link('everything')
    const result = await client.callTool({ name: named('get-sum'), arguments: { a: 'two', b: 2 } })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toMatch(/Input validation error/)
  })

  test('a failure inside a tool is a result with isError, not a broken connection', async () => {
    const { client, named } = connection().link('filesystem')
    const result = await client.callTool({ name: named('read_text_file'), arguments: { path: '/etc/hostname' } })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toMatch(/Access denied/)
  })
})
