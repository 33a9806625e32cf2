// Instances of one server as processes of their own, and callers that never stop asking which of them answers.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { codeOf, type Session } from './rpc.ts'

export const INSTANCE: string = fileURLToPath(new URL('../fixtures/upstream/instance-server.mjs', import.meta.url))

export interface Instance {
  readonly name: string
  readonly url: string
  /** Each call takes so many milliseconds from now on. */
  slow(ms: number): Promise<void>
  /** SIGKILL, and its end. */
  kill(): Promise<void>
  /** Again, on the same port. */
  restart(): Promise<void>
}

export async function startInstance(name: string, env: Readonly<Record<string, string>> = {}): Promise<Instance> {
  let port = 0
  let child: ChildProcess
  async function start(): Promise<void> {
    child = spawn(process.execPath, [INSTANCE], { env: { ...env, NAME: name, PORT: String(port) }, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    port = (JSON.parse(line.toString()) as { port: number }).port
  }
  await start()
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    name,
    url: `http://127.0.0.1:${port}/mcp`,
    async slow(ms) {
      await fetch(`http://127.0.0.1:${port}/slow`, { method: 'POST', body: String(ms) })
    },
    async kill() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    restart: start,
  }
}

export interface Heard {
  /** Who answered; undefined where nobody did. */
  readonly who: string | undefined
  readonly code: string | undefined
  readonly began: number
  readonly ended: number
}

export interface Load {
  readonly heard: readonly Heard[]
  /** Resolves when each of these has answered a call that began from now on. */
  untilHeard(...names: readonly string[]): Promise<void>
  /** Resolves when so many different ones have answered. */
  untilDifferent(count: number): Promise<void>
  stop(): Promise<void>
}

/** Each session asks again as soon as it has its answer. */
export function startLoad(sessions: readonly Pick<Session, 'call'>[], tool: string): Load {
  const heard: Heard[] = []
  const looks = new Set<() => void>()
  let isStopped = false
  const work = Promise.all(
    sessions.map(async session => {
      while (!isStopped) {
        const began = performance.now()
        const message = await session.call(tool)
        const who = message.result?.isError === true ? undefined : (message.result?.content?.[0]?.text as string | undefined)
        heard.push({ who, code: codeOf(message), began, ended: performance.now() })
        for (const look of looks) look()
      }
    }),
  )
  const until = (holds: () => boolean): Promise<void> =>
    new Promise(resolve => {
      const look = (): void => {
        if (!holds()) return
        looks.delete(look)
        resolve()
      }
      looks.add(look)
      look()
    })
  onTestFinished(async () => {
    isStopped = true
    await work.catch(() => {})
  })
  return {
    heard,
    untilHeard(...names) {
      const since = performance.now()
      return until(() => {
        const there = new Set(heard.filter(({ began }) => began >= since).map(({ who }) => who))
        return names.every(name => there.has(name))
      })
    },
    untilDifferent: count => until(() => new Set(heard.flatMap(({ who }) => who ?? [])).size >= count),
    async stop() {
      isStopped = true
      await work
    },
  }
}
