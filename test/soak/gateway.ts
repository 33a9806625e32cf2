// The built gateway as it is soaked: started with an observer inside, disturbed while it is under load, and asked what it has counted.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLI } from '../e2e/cli.ts'
import type { Sample } from './judge.ts'

const INSIDE = fileURLToPath(new URL('inside.mjs', import.meta.url))
const SERVER = fileURLToPath(new URL('../fixtures/upstream/odd-mcp-server.mjs', import.meta.url))
export const KEY: string = 'key-of-the-soak-'.padEnd(40, 'x')

const policyOf = (round: number): string => `policy "soak" edition 1
# ${round}
allow most {
  who  any
  call odd/echo, odd/slow, twin/echo, twin/slow, frail/echo, frail/die
}
`

export interface Soaking {
  readonly origin: string
  sample(at: number): Promise<Sample>
  /** Another bundle of the same meaning takes the place of the one in force. */
  reload(): void
  metrics(): Promise<string>
  readonly restarts: () => Promise<number>
  stop(): Promise<number | null>
}

export async function startSoaking(dir: string): Promise<Soaking> {
  const server = { command: process.execPath, args: [SERVER, 'well'] }
  const config = {
    listen: '127.0.0.1:0',
    servers: ['odd', 'twin', 'frail'].map(id => ({ id, ...server })),
    policies: ['soak.policy'],
    plugins: [
      // What is looked for is no matter of the disk.
      { audit: { durability: 'os' } },
      { auth: { apiKeys: [{ id: 'soak', consumerId: 'soak', name: 'soak', key: KEY }] } },
      { ratelimit: { limits: [{ name: 'all', most: 1_000_000, window: '1h' }] } },
      'meter',
      'policy',
      'redact',
    ],
    log: 'error',
  }
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
  writeFileSync(join(dir, 'soak.policy'), policyOf(0))
  const child = spawn(process.execPath, ['--expose-gc', '--import', INSIDE, CLI, 'run'], {
    cwd: dir,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const origin = await heardOrigin(child)
  let rounds = 0
  return {
    origin,
    async sample(at) {
      child.send('sample')
      const [figures] = (await once(child, 'message')) as [Omit<Sample, 'at'>]
      return { at, ...figures }
    },
    reload() {
      const file = join(dir, 'soak.policy')
      writeFileSync(`${file}.new`, policyOf(++rounds))
      renameSync(`${file}.new`, file)
      child.kill('SIGHUP')
    },
    metrics: async () => (await fetch(`${origin}/metrics`)).text(),
    async restarts() {
      const health = (await (await fetch(`${origin}/healthz`)).json()) as { servers: { server: string; restarts: number }[] }
      return health.servers.find(({ server: id }) => id === 'frail')?.restarts ?? 0
    },
    async stop() {
      const ended = once(child, 'exit') as Promise<[number | null]>
      child.kill('SIGTERM')
      return (await ended)[0]
    },
  }
}

function heardOrigin(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      // What it says later are errors, for whoever looks on.
      if (said.includes('ready in')) process.stderr.write(text)
      said = `${said}${text}`.slice(-10_000)
      if (said.includes('ready in')) resolve(/^endpoint +(http:\S+)\/mcp$/m.exec(said)?.[1] ?? '')
    })
    child.once('exit', code => reject(new Error(`the gateway ended with ${code}: ${said}`)))
  })
}
