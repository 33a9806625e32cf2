// Tasks (revision 2025-11-25) end to end: a tool that only runs as a task, and server requests that the client runs as tasks.
import { type CallToolResult, CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { type ClientAnswers, createCapableClient, defaultAnswers } from './clients.ts'
import { everything } from './servers.ts'
import { describeEachWay, useConnection } from './ways.ts'

const LONG = 30_000
const TASK = { ttl: 60_000 }

describeEachWay('tasks', way => {
  const answers: ClientAnswers = defaultAnswers()
  const connection = useConnection(way, {
    servers: () => ({ everything: everything() }),
    client: () => createCapableClient(answers),
  })

  async function runTask(args: Record<string, unknown>) {
    const { client, named } = connection().link('everything')
    const statuses = new Set<string>()
    let result: CallToolResult | undefined
    const stream = client.experimental.tasks.callToolStream(
      { name: named('simulate-research-query'), arguments: args },
      CallToolResultSchema,
      {
        task: TASK,
      },
    )
    for await (const message of stream) {
      if (message.type === 'error') throw message.error
      if (message.type === 'taskCreated' || message.type === 'taskStatus') statuses.add(message.task.status)
      if (message.type === 'result') result = message.result
    }
    return { statuses, text: JSON.stringify(result?.content) }
  }

  test('a tool runs as a task, is polled and gives its result', { timeout: LONG }, async () => {
    const { statuses, text } = await runTask({ topic: 'gateways' })
    expect(statuses).toContain('working')
    expect(text).toContain('Research Report: gateways')
  })

  test('a task that needs input asks for it and goes on', { timeout: LONG }, async () => {
    answers.elicit = () => ({ action: 'accept', content: { interpretation: 'snake' } })
    const { statuses, text } = await runTask({ topic: 'python', ambiguous: true })
    expect(statuses).toContain('input_required')
    expect(text).toContain('python (snake)')
  })

  test.each([
    ['sampling', 'trigger-sampling-request-async', { prompt: 'x' }, /Async sampling completed.*sampled text/s],
    ['elicitation', 'trigger-elicitation-request-async', {}, /Ada/],
  ])('the client may run %s as a task that the server polls', { timeout: LONG }, async (_, tool, args, shows) => {
    answers.elicit = defaultAnswers().elicit
    const { client, named } = connection().link('everything')
    const result = await client.callTool({ name: named(tool), arguments: args })
    expect(JSON.stringify(result.content)).toMatch(shows)
  })
})
