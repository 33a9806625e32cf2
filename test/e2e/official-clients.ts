// The clients of both official SDKs with every capability, alike to the tests whichever SDK and era they speak.
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as Transport1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'

export type Target = { readonly url: string } | { readonly command: string; readonly args: string[]; readonly cwd: string }

export interface OfficialClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  callTool(params: CallParams, options?: CallOptions): Promise<unknown>
  readResource(params: { uri: string }): Promise<{ contents: object[] }>
  getPrompt(params: { name: string }): Promise<{ messages: object[] }>
  /** In the way of its era: `resources/subscribe`, or a stream of `subscriptions/listen`. Ends with what it gives. */
  subscribe(uri: string): Promise<() => Promise<unknown>>
  /** `logging/setLevel`; clients without sessions put the level into each request. */
  setLevel?: (level: 'debug' | 'error') => Promise<unknown>
  /** What servers told it, so far. */
  readonly updated: readonly string[]
  readonly logged: readonly { level: string; data: unknown }[]
  /** Resolves once it has been told something that fits. */
  told(holds: () => boolean): Promise<void>
  close(): Promise<void>
}

interface CallParams {
  name: string
  arguments?: Record<string, unknown>
  _meta?: Record<string, unknown>
}

interface CallOptions {
  onprogress?: (progress: { progress: number; message?: string }) => void
  signal?: AbortSignal
}

const INFO = { name: 'official-client', version: '1' }
const capabilities = { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } }
const answers = {
  sampled: { role: 'assistant' as const, model: 'model-of-the-client', content: { type: 'text' as const, text: 'forty-two' } },
  filledIn: { action: 'accept' as const, content: { name: 'Ada', check: true, integer: 7 } },
}

/** What a client has been told, and who waits for more. */
function keepNews() {
  const updated: string[] = []
  const logged: { level: string; data: unknown }[] = []
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const each of waiting) each()
  }
  return {
    updated,
    logged,
    update: (uri: string): void => {
      updated.push(uri)
      look()
    },
    log: (entry: { level: string; data: unknown }): void => {
      logged.push(entry)
      look()
    },
    told: (holds: () => boolean): Promise<void> =>
      new Promise(resolve => {
        const each = (): void => {
          if (!holds()) return
          waiting.delete(each)
          resolve()
        }
        waiting.add(each)
        each()
      }),
  }
}

async function connect1(target: Target, root: string): Promise<OfficialClient> {
  const client = new Client1(INFO, { capabilities })
  const news = keepNews()
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: root, name: 'root' }] }))
  client.setRequestHandler(CreateMessageRequestSchema, () => answers.sampled)
  client.setRequestHandler(ElicitRequestSchema, () => answers.filledIn)
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => news.update(params.uri))
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => news.log({ level: params.level, data: params.data }))
  await client.connect(('url' in target ? new Http1(new URL(target.url)) : new Stdio1({ ...target, stderr: 'ignore' })) as Transport1)
  return {
    ...news,
    listTools: () => client.listTools(),
    listResources: () => client.listResources(),
    listResourceTemplates: () => client.listResourceTemplates(),
    listPrompts: () => client.listPrompts(),
    callTool: (params, options) => client.callTool(params, undefined, options as object),
    readResource: params => client.readResource(params),
    getPrompt: params => client.getPrompt(params),
    subscribe: async uri => {
      await client.subscribeResource({ uri })
      return () => client.unsubscribeResource({ uri })
    },
    setLevel: level => client.setLoggingLevel(level),
    close: () => client.close(),
  }
}

function connect2(mode: 'legacy' | 'auto' | 'modern') {
  return async (target: Target, root: string): Promise<OfficialClient> => {
    const client = new Client2(INFO, { capabilities, versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode } })
    const news = keepNews()
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: root, name: 'root' }] }))
    client.setRequestHandler('sampling/createMessage', () => answers.sampled)
    client.setRequestHandler('elicitation/create', () => answers.filledIn)
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => news.update(params.uri))
    client.setNotificationHandler('notifications/message', ({ params }) => news.log({ level: params.level, data: params.data }))
    await client.connect('url' in target ? new Http2(new URL(target.url)) : new Stdio2({ ...target, stderr: 'ignore' }))
    const isLegacy = mode === 'legacy'
    return {
      ...news,
      listTools: () => client.listTools(),
      listResources: () => client.listResources(),
      listResourceTemplates: () => client.listResourceTemplates(),
      listPrompts: () => client.listPrompts(),
      callTool: (params, options) => client.callTool(params, options as object),
      readResource: params => client.readResource(params),
      getPrompt: params => client.getPrompt(params),
      subscribe: async uri => {
        if (isLegacy) {
          await client.subscribeResource({ uri })
          return () => client.unsubscribeResource({ uri })
        }
        const stream = await client.listen({ resourceSubscriptions: [uri] })
        return () => stream.close()
      },
      ...(isLegacy && { setLevel: level => client.setLoggingLevel(level) }),
      close: () => client.close(),
    }
  }
}

/** Connected to the target, with one root. */
export const officialClients = {
  'SDK 1': connect1,
  'SDK 2, legacy': connect2('legacy'),
  'SDK 2, auto': connect2('auto'),
  'SDK 2, modern': connect2('modern'),
} as const satisfies Record<string, (target: Target, root: string) => Promise<OfficialClient>>
