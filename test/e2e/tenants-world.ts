// A gateway with all that it has, two tenants on it, and servers of one of them, of the other, and of both.
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../../core/commands/main.ts'
import { openGateway } from '../../core/commands/open-gateway.ts'
import { loadConfig } from '../../core/config/load.ts'
import { tokens } from '../../core/kernel.ts'
import { createLog } from '../../core/log.ts'
import { type HttpUpstream, startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import type { Received } from '../core/data-plane/script.ts'

/** What is the first tenant's alone holds its canary: server, tools, uris, tenant, people, arguments. */
export interface Names {
  readonly canary: string
  readonly server: string
  readonly tenant: string
  readonly agent: string
}

export const namesOf = (canary: string): Names => ({ canary, server: `s-${canary}`, tenant: `t-${canary}`, agent: `p-${canary}` })

export interface World {
  readonly port: number
  readonly names: Names
  /** Of people: two of the first tenant, and one of the second who has the id of one of them. */
  readonly keys: { readonly first: string; readonly twin: string; readonly other: string }
  /** By server: the first tenant's own, the other's, one that has a lane for each, one that all share. */
  readonly upstreams: Readonly<Record<'own' | 'vault' | 'docs' | 'wiki', HttpUpstream>>
  /** Names of all operations of the gateway, its own and those of plugins. */
  readonly operations: readonly string[]
  say(words: readonly string[]): Promise<{ readonly code: number; readonly text: string }>
  stop(): Promise<void>
  /** Stopped or not. */
  remove(): Promise<void>
}

const policyOf = ({ tenant, canary }: Names): string => `policy "all" edition 1 owner "people@example.com"

allow everything {
  who     role reader
  call    */*, gateway/* except */forbidden
  read    */*
  prompt  */*
  method  */"elicitation/create"
}

allow more-for-one-${canary} {
  who     tenant "${tenant}"
  call    */forbidden
}

deny not-for-one-${canary} {
  who     tenant "${tenant}"
  call    */few
  when    { has(args.stop) }
  because "not for ${tenant}"
}

require limits {
  call    */limited
  then    limit(3, per: 1h, by: tenant)
}

require second-person {
  call    */held
  then    approval(by: "role:reader", timeout: 1h)
}
`

const configOf = ({ server, tenant, canary }: Names, { own, vault, docs, wiki }: World['upstreams']): object => ({
  servers: [
    { id: server, url: own.url, tenants: [tenant], description: canary, owner: canary, tags: ['all', `of-${canary}`] },
    { id: 'vault', url: vault.url, tenants: ['globex'] },
    { id: 'docs', url: docs.url, owner: 'team-docs', tags: ['all'] },
    { id: 'wiki', url: wiki.url, shared: true },
  ],
  policies: ['a.policy'],
  gateway: { tools: ['*'] },
  registration: {},
  log: 'silent',
  plugins: [
    { audit: { durability: 'os' } },
    {
      auth: {
        jwt: [{ issuer: 'https://login.example.com', audience: 'https://gw.example.com/mcp', jwks: { keys: [PUBLIC_KEY] } }],
        resource: { url: 'https://gw.example.com', scopes: ['mcp'] },
      },
    },
    {
      ratelimit: {
        limits: [
          { name: 'few', per: 'tenant', match: { tools: ['few'] }, most: 3, window: '1h' },
          { name: 'slow', per: 'tenant', match: { tools: ['slow'] }, atOnce: 1 },
        ],
      },
    },
    'approval',
    'policy',
    'redact',
    {
      cache: {
        rules: [
          { tools: '*/look', ttl: '10m', negative: '10m', scope: 'rights' },
          { resources: '*/*', ttl: '10m', scope: 'rights' },
        ],
      },
    },
    { meter: { prices: [{ tool: 'dear', units: 1 }], budgets: [{ tenant: '*', period: 'month', units: 3 }] } },
    { stripe: { dryRun: true, meters: [{ event: 'tool_calls' }] } },
  ],
})

const PUBLIC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  kid: 'k1',
  alg: 'ES256',
  use: 'sig',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

export async function startWorld(canary: string): Promise<World> {
  const names = namesOf(canary)
  const dir = await mkdtemp(join(tmpdir(), 'mcpgw-tenants-'))
  const [own, vault, docs, wiki] = await Promise.all(
    [`own-${canary}`, 'vault', 'docs', 'wiki'].map(id => upstreamOf(id, id.startsWith('own') ? `${canary}-` : '')),
  )
  const upstreams = { own: own!, vault: vault!, docs: docs!, wiki: wiki! }
  writeFileSync(join(dir, 'a.policy'), policyOf(names))
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(configOf(names, upstreams), null, 2))
  const around = { version: '0.0.0', env: {}, cwd: dir, signal: new AbortController().signal, interactive: false }

  async function say(words: readonly string[]): Promise<{ code: number; text: string }> {
    let text = ''
    const add = (more: string): void => {
      text += more
    }
    const code = await runCommand(words, { ...around, color: { out: false, err: false }, out: add, err: add })
    return { code, text }
  }
  async function keyFor(id: string, tenant: string): Promise<string> {
    const { code, text } = await say(['keys', 'create', `of ${tenant}`, id, 'reader', '--tenant', tenant, '--json'])
    if (code !== 0) throw new Error(text)
    return (JSON.parse(text.slice(text.indexOf('{'))) as { key: string }).key
  }

  const keys = {
    first: await keyFor(names.agent, names.tenant),
    twin: await keyFor('agent', names.tenant),
    other: await keyFor('agent', 'globex'),
  }
  const loaded = await loadConfig({ env: {}, cwd: dir, flags: { listen: '127.0.0.1:0' }, getSecret: async () => undefined })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded))
  const open = await openGateway({ loaded, version: '0.0.0', log: createLog({ level: 'silent' }), cwd: dir, http: true, probe: true })
  if ('findings' in open) throw new Error(JSON.stringify(open.findings))
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= open.stop(200))
  return {
    port: open.gateway.port!,
    names,
    keys,
    upstreams,
    operations: open.kernel.services
      .get(tokens.operations)
      .list()
      .map(({ name }) => name),
    say,
    stop,
    async remove() {
      await stop()
      await Promise.all(Object.values(upstreams).map(one => one.close()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const CAPABILITIES =
  '{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{},"completions":{},"logging":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}'
export const TOOLS = ['look', 'few', 'limited', 'dear', 'slow', 'question', 'forbidden', 'held'] as const
/** More than a page. */
const MANY = 1001

/** It calls all by its own name, greets a client by its, keeps tasks of everybody, and lists them to anybody. */
async function upstreamOf(id: string, mark: string): Promise<HttpUpstream> {
  const tasks: string[] = []
  /** What each of its sessions was told last. */
  const secrets = new Map<string, string>()
  const list = (field: string, key: string, names: readonly string[]) => (received: Received) =>
    received.result(JSON.stringify({ [field]: names.map(name => ({ [key]: name, name, inputSchema: { type: 'object' } })) }))
  const taskOf = ({ message }: Received): string => JSON.stringify({ taskId: message.params.taskId, status: 'working', by: id })
  const uris = ['x:1', `${mark}${id}:1`, ...(mark === '' ? [] : Array.from({ length: MANY }, (_, at) => `${mark}many:${at}`))]
  return startHttpUpstream({
    stream: true,
    on: {
      initialize: received =>
        received.result(
          `{"protocolVersion":"2025-11-25","capabilities":${CAPABILITIES},"serverInfo":{"name":"${id}","version":"1"},"instructions":${JSON.stringify(`hello ${received.message.params.clientInfo.name}`)}}`,
        ),
      'tools/list': list('tools', 'name', [...TOOLS, `${mark}${id}_only`]),
      'resources/list': list('resources', 'uri', uris),
      'resources/templates/list': list('resourceTemplates', 'uriTemplate', ['x:{n}', `${mark}${id}:{n}`]),
      'prompts/list': list('prompts', 'name', ['ask', `${mark}${id}_ask`]),
      'prompts/get': received => received.result(JSON.stringify({ messages: [], description: `of ${id}` })),
      'resources/read': received => received.result(JSON.stringify({ contents: [{ uri: received.message.params.uri, text: `of ${id}` }] })),
      'resources/subscribe': received => received.result('{}'),
      'resources/unsubscribe': received => received.result('{}'),
      'logging/setLevel': received => received.result('{}'),
      'completion/complete': received => received.result(JSON.stringify({ completion: { values: [`of ${id}`] } })),
      'tasks/list': received => received.result(JSON.stringify({ tasks: tasks.map(taskId => ({ taskId, status: 'working' })) })),
      'tasks/get': received => received.result(taskOf(received)),
      'tasks/cancel': received => received.result(taskOf(received)),
      'tasks/result': received => received.result(JSON.stringify({ content: [], by: id })),
      'tools/call'(received) {
        const { name, arguments: args = {}, task } = received.message.params
        if (task !== undefined) {
          const taskId = `${id}-${tasks.length}-${args.secret ?? ''}`
          tasks.push(taskId)
          return received.result(JSON.stringify({ task: { taskId, status: 'working', ttl: 60_000 } }))
        }
        if (name === 'slow') return
        if (name === 'question')
          return received.say(
            '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}}',
          )
        if (args.secret !== undefined) secrets.set(received.session, args.secret)
        // Of the one session that all share nobody expects that it keeps a secret.
        const known = id === 'wiki' ? undefined : secrets.get(received.session)
        received.result(JSON.stringify({ content: [{ type: 'text', text: `of ${id}: ${JSON.stringify([args, known])}` }] }))
      },
    },
  })
}
