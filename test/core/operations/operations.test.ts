// An operation that fails, in whatever way, is an answer and a line in the log: it takes nothing else down.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createOperations } from '../../../core/operations/operations.ts'
import { defineOperation, type JsonObject } from '../../../core/plugin/index.ts'

test.each<[string, () => Promise<unknown>]>([
  ['throws', () => Promise.reject(new Error('gone'))],
  ['answers what has no JSON form', async () => ({ a: undefined })],
  ['answers nothing', async () => undefined],
])('an operation that %s', async (_, make) => {
  const logged: unknown[] = []
  const operations = createOperations({ error: (_message, fields) => void logged.push(fields) })
  const operation = defineOperation({
    name: 'odd',
    summary: 'Odd.',
    effect: 'reads',
    scope: 'tenant',
    input: z.strictObject({}),
    output: z.looseObject({}),
    perform: async () => ({ kind: 'done', value: (await make()) as JsonObject }),
  })
  operations.add(operation)
  const asker = { tenant: undefined, actor: { id: 'cli:root' }, signal: new AbortController().signal }
  const answer = await operations.perform(operation, {}, asker)
  expect(answer).toEqual({ kind: 'refused', code: 'unavailable', message: 'odd does not work now; the log of the gateway says why' })
  expect(logged).toMatchObject([{ operation: 'odd' }])
})
