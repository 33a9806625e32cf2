// Runs one command line: finds its verb without loading what it does not need, and maps how it ends to an exit code.
import { runProgram } from './program.ts'
import { coreVerbs, verbOwners } from './table.ts'
import type { Surroundings, Verb } from './verb.ts'

export async function runCommand(words: readonly string[], around: Surroundings): Promise<number> {
  const first = words.find(word => !word.startsWith('-'))
  const isCore = first !== undefined && coreVerbs.some(verb => verb.path[0] === first || verb.alias === first)
  const listVerbs = async (): Promise<readonly Verb[]> => [...coreVerbs, ...(await findVerbs(undefined, words, around))]
  return runProgram(isCore ? coreVerbs : [...coreVerbs, ...(await findVerbs(first, words, around))], words, { ...around, listVerbs })
}

// Help and unknown words need the verbs of every plugin, a known word only those of its owner.
async function findVerbs(first: string | undefined, words: readonly string[], around: Surroundings): Promise<readonly Verb[]> {
  if (first === undefined && words.some(word => word === '--version' || word === '-V')) return []
  const { builtInVerbs, configuredVerbs } = await import('./plugin-verbs.ts')
  const owner = first !== undefined && Object.hasOwn(verbOwners, first) ? verbOwners[first] : undefined
  const own = await builtInVerbs(owner === undefined ? undefined : [owner], around)
  if (owner !== undefined) return own
  const taken = new Set([...coreVerbs, ...own].map(verb => verb.path[0]))
  const others = await configuredVerbs(words, around)
  // A plugin may add verbs, never replace one.
  return [...own, ...others.filter(verb => !taken.has(verb.path[0]))]
}

function endsBySignal(words: readonly string[]): boolean {
  const first = words.find(word => !word.startsWith('-'))
  return coreVerbs.some(verb => verb.endsBySignal === true && (verb.path[0] === first || verb.alias === first))
}

/** The command line of this process, to its end. */
export async function runProcess(version: string): Promise<void> {
  const stop = new AbortController()
  let signalled: 'SIGINT' | 'SIGTERM' | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second one does not wait for anybody.
      if (signalled !== undefined) process.exit(name === 'SIGINT' ? 130 : 143)
      signalled = name
      stop.abort(name)
    })
  }
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3))
  const mayColor = (stream: NodeJS.WriteStream): boolean => stream.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  const around: Surroundings = {
    version,
    env: process.env,
    cwd: process.cwd(),
    signal: stop.signal,
    color: { out: mayColor(process.stdout), err: mayColor(process.stderr) },
    interactive: process.stderr.isTTY,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
  }
  const bug = (error: unknown): number => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`error[internal]: this is a bug of mcpgw ${version} (Node ${process.versions.node})\n${text}\n`)
    return 70
  }
  process.on('uncaughtException', error => process.exit(bug(error)))
  // No timer of ours holds a process, and a command that waits for nothing else, such as a server that failed, must not end as if it had done its work.
  const held = setInterval(() => {}, 2 ** 30)
  const code = await runCommand(process.argv.slice(2), around).catch(bug)
  clearInterval(held)
  const ended = signalled === undefined || endsBySignal(process.argv.slice(2)) ? code : signalled === 'SIGINT' ? 130 : 143
  process.exitCode = ended
  // What is still open (a pool, a watcher) must not keep a finished command; what was written must be out first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(ended)))
}
