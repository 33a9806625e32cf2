// SDK clients for the end-to-end tests: one that can do nothing, one that has every capability, and a way to wait for notifications.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import type {
  CreateMessageRequest,
  CreateMessageResult,
  ElicitRequest,
  ElicitResult,
  Result,
  Root,
} from '@modelcontextprotocol/sdk/types.js'
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

/** What the client's side answers to a server; may change while connected. */
export interface ClientAnswers {
  roots: Root[]
  sample: (request: CreateMessageRequest) => CreateMessageResult
  elicit: (request: ElicitRequest) => ElicitResult
}

const INFO = { name: 'mcpgw-e2e', version: '1.0.0' }
const TASK_TTL_MS = 60_000

export function createPlainClient(): Client {
  return new Client(INFO)
}

export function createCapableClient(answers: ClientAnswers): Client {
  const client = new Client(INFO, {
    capabilities: {
      roots: { listChanged: true },
      sampling: {},
      elicitation: { form: {}, url: {} },
      tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
    },
    // No message queue: with one, the SDK keeps the answer to a server's question about a task and never sends it.
    taskStore: new InMemoryTaskStore(),
  })
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: answers.roots }))
  client.setRequestHandler(CreateMessageRequestSchema, (request, extra) =>
    answerOrDefer(request.params.task, extra.taskStore, answers.sample(request)),
  )
  client.setRequestHandler(ElicitRequestSchema, (request, extra) => {
    const { task } = request.params as { task?: object }
    return answerOrDefer(task, extra.taskStore, answers.elicit(request))
  })
  return client
}

export function defaultAnswers(roots: Root[] = []): ClientAnswers {
  return {
    roots,
    sample: () => ({ role: 'assistant', model: 'test-model', content: { type: 'text', text: 'sampled text' }, stopReason: 'endTurn' }),
    elicit: () => ({ action: 'accept', content: { name: 'Ada', check: true } }),
  }
}

interface TaskStore {
  createTask(params: { ttl: number }): Promise<{ taskId: string }>
  storeTaskResult(taskId: string, status: 'completed', result: Result): Promise<void>
}

/** A request that asks for a task gets one, which is done at once. */
async function answerOrDefer<R extends Result>(asked: object | undefined, store: unknown, result: R): Promise<R> {
  if (asked === undefined) return result
  const tasks = store as TaskStore
  const task = await tasks.createTask({ ttl: TASK_TTL_MS })
  await tasks.storeTaskResult(task.taskId, 'completed', result)
  return { task } as unknown as R
}

/** The notifications of one kind, in the order in which they come. Made before connecting, it misses none. */
export interface Inbox<N> {
  /** The first one that fits and was not taken yet; waits for it where needed. */
  take(fits: (notification: N) => boolean): Promise<N>
}

type NotificationSchema = Parameters<Client['setNotificationHandler']>[0]

export function collectNotifications<N>(client: Client, schema: NotificationSchema): Inbox<N> {
  const held: N[] = []
  const waiting = new Set<{ fits: (notification: N) => boolean; resolve: (notification: N) => void }>()
  client.setNotificationHandler(schema, notification => {
    const received = notification as N
    for (const waiter of waiting) {
      if (!waiter.fits(received)) continue
      waiting.delete(waiter)
      return waiter.resolve(received)
    }
    held.push(received)
  })
  return {
    take: fits =>
      new Promise(resolve => {
        const at = held.findIndex(fits)
        const [found] = at === -1 ? [] : held.splice(at, 1)
        if (found === undefined) waiting.add({ fits, resolve })
        else resolve(found)
      }),
  }
}
