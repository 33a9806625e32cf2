// Starts a process that works apart, hears it, and sees to it that it ends.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ApartJob, Clock, Log, Stores } from '../plugin/index.ts'
import { placeOf } from '../store/index.ts'
import { type Order, type Report, readReport } from './protocol.ts'

export interface ApartHost {
  readonly stores: Stores
  readonly clock: Clock
  readonly log: Log
}

const GRACE_MS = 2000
// What it says on stderr, if it breaks.
const LAST_WORDS = 500
const KEPT =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LC_ALL|SystemRoot|APPDATA|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|MCPGW_SQLITE|PG[A-Z]+)$/
// This file is TypeScript where the sources are run as they are.
const entry = fileURLToPath(new URL(`./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url))

/** Resolves or rejects once the process has ended. */
export function runApart({ stores, clock, log }: ApartHost, { module, input, answer, signal }: ApartJob): Promise<unknown> {
  const place = placeOf(stores)
  if (place === undefined) return Promise.reject(new Error('these stores cannot be opened in another process'))
  if (signal.aborted) return Promise.reject(new Error('stopped before it began'))
  return new Promise((resolve, reject) => {
    const child = fork(entry, [], {
      env: environment(process.env),
      // An inspector would want the same port.
      execArgv: process.execArgv.filter(arg => !arg.startsWith('--inspect')),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let outcome: Extract<Report, { kind: 'done' | 'failed' }> | undefined
    let words = ''
    let cancelKill = (): void => {}
    const tell = (order: Order): void => {
      if (child.connected) child.send(order, () => {})
    }
    const reply = async (id: number, question: unknown): Promise<void> => {
      try {
        tell({ kind: 'answer', id, value: await answer(question) })
      } catch (error) {
        tell({ kind: 'refusal', id, message: messageOf(error) })
      }
    }
    const stop = (): void => {
      child.kill('SIGTERM')
      cancelKill = clock.after(GRACE_MS, () => child.kill('SIGKILL'))
    }
    const conclude = (how: string): void => {
      signal.removeEventListener('abort', stop)
      cancelKill()
      if (outcome?.kind === 'done') return resolve(outcome.result)
      reject(new Error(outcome?.message ?? `${how}${lastLine(words)}`))
    }
    const hear = (message: unknown): void => {
      const report = readReport(message)
      if (report?.kind === 'ask') {
        void reply(report.id, report.question)
      } else if (report?.kind === 'log') log[report.level](report.message, report.fields)
      else {
        outcome ??= report ?? { kind: 'failed', message: 'the process that works apart said what is not understood' }
        if (report === undefined) child.kill('SIGKILL')
        else letGo(child)
      }
    }
    signal.addEventListener('abort', stop)
    child.on('message', hear)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LAST_WORDS)
    })
    child.on('error', error => {
      if (child.pid === undefined) conclude(`no process can be started: ${error.message}`)
    })
    // Its last words may come after its end; `close` does not come where the channel was let go of.
    const silent = new Promise(done => child.stderr?.on('close', done))
    child.on('exit', (code, how) => {
      void silent.then(() => conclude(`the process that works apart ${how === null ? `ended with ${code}` : `was ended by ${how}`}`))
    })
    try {
      tell({ kind: 'work', module: module.href, input, place, now: clock.now() })
    } catch (error) {
      outcome = { kind: 'failed', message: messageOf(error) }
      child.kill('SIGKILL')
    }
  })
}

function letGo(child: ChildProcess): void {
  if (child.connected) child.disconnect()
}

/** The driver of PostgreSQL takes from there (PG...) what the URL leaves out. */
function environment(all: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(all).filter(([name]) => KEPT.test(name)))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function lastLine(text: string): string {
  const line = text
    .split('\n')
    .findLast(one => /\S/.test(one))
    ?.trim()
  return line === undefined ? '' : `: ${line}`
}
