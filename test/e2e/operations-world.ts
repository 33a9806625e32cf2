// The built product with its own operations switched on, beneath policy: two tenants, each with one who may use them and one who may not, and an operator.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../../core/commands/main.ts'
import { createFolder, type Product, startProduct } from './product.ts'
import { openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Any = any

export interface Said {
  readonly status: number
  readonly body: Any
}

export interface Caller {
  readonly key: string
  /** By its route: a query for GET and DELETE, else a body. */
  ask(method: string, path: string, body?: object): Promise<Said>
  /** As a tool: the result. */
  call(tool: string, args?: object): Promise<Any>
}

export interface OperationsWorld {
  readonly dir: string
  readonly product: Product
  /** `admin`: of acme, `other`: of globex, `agent`: of acme and without the right, `ops`: of the operators. */
  readonly callers: Readonly<Record<'admin' | 'other' | 'agent' | 'ops', Caller>>
  callerOf(key: string): Caller
}

const POLICY = `policy "all" edition 1 owner "people@example.com"

allow administration {
  who     role admin
  call    gateway/*
}

allow work {
  who     role agent, role admin
  call    odd/*
}
`

export interface WorldOptions {
  readonly plugins?: readonly (string | object)[]
  readonly policy?: string
  readonly tools?: readonly string[]
  readonly more?: object
}

export async function startOperations({ plugins, policy = POLICY, tools = ['*'], more = {} }: WorldOptions = {}): Promise<OperationsWorld> {
  const dir = createFolder()
  writeFileSync(join(dir, 'main.policy'), policy)
  const keys = {
    admin: await keyFor(dir, 'ada', 'admin,agent', 'acme'),
    other: await keyFor(dir, 'olaf', 'admin,agent', 'globex'),
    agent: await keyFor(dir, 'bot', 'agent', 'acme'),
    ops: await keyFor(dir, 'opal', 'admin', 'platform'),
  }
  const product = await startProduct({
    dir,
    config: {
      servers: [{ id: 'odd', ...oddServer() }],
      policies: ['main.policy'],
      gateway: { tools, operators: ['platform'] },
      plugins: plugins ?? [{ audit: { durability: 'os' } }, 'auth', 'policy'],
      ...more,
    },
  })
  const callerOf = (key: string): Caller => {
    const headers = ['x-api-key', key]
    let session: ReturnType<typeof openSession> | undefined
    return {
      key,
      async ask(method, path, body) {
        const { status, text } = await post(product.origin, body === undefined ? '' : JSON.stringify(body), { method, path, headers })
        return { status, body: JSON.parse(text) }
      },
      async call(tool, args) {
        session ??= openSession(product.origin, headers)
        return (await (await session).call(tool, args)).result
      },
    }
  }
  const callers = { admin: callerOf(keys.admin), other: callerOf(keys.other), agent: callerOf(keys.agent), ops: callerOf(keys.ops) }
  return { dir, product, callers, callerOf }
}

/** In this process, as there are many. */
async function keyFor(cwd: string, principal: string, roles: string, tenant: string): Promise<string> {
  let out = ''
  const words = ['keys', 'create', principal, principal, roles, '--tenant', tenant, '--json']
  const code = await runCommand(words, {
    version: '0.0.0',
    env: {},
    cwd,
    signal: new AbortController().signal,
    interactive: false,
    color: { out: false, err: false },
    out(text) {
      out += text
    },
    err() {},
  })
  if (code !== 0) throw new Error(`no key for ${principal}`)
  return (JSON.parse(out) as { key: string }).key
}
