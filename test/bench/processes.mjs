// Starts the processes that are measured, reads what the kernel accounts to them (Linux /proc), and ends them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { splitLines } from '../fixtures/upstream/line-splitter.mjs'

const TICKS_PER_SECOND = 100
const COMPLAINTS_KEPT = 4000
const KILL_AFTER_MS = 5000

/** @type {Set<Started>} */
const running = new Set()

/**
 * @typedef {object} Started
 * @property {number} pid
 * @property {import('node:child_process').ChildProcessWithoutNullStreams} child
 * @property {() => string} complaints the end of what it wrote to stderr
 * @property {() => Promise<void>} stop
 */

/**
 * @param {readonly string[]} args of node
 * @param {{ env?: Record<string, string>, cwd?: string }} [options] env is added to ours
 * @returns {Started}
 */
export function startNode(args, { env = {}, cwd } = {}) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', chunk => {
    complaints = (complaints + chunk).slice(-COMPLAINTS_KEPT)
  })
  child.stdin.on('error', () => {})
  /** @type {Started} */
  const started = {
    pid: child.pid ?? -1,
    child,
    complaints: () => complaints,
    stop: async () => {
      running.delete(started)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
      child.kill('SIGTERM')
      await ended
      clearTimeout(timer)
    },
  }
  running.add(started)
  return started
}

/**
 * Starts a fixture that prints `{"port":n}` once it listens.
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
export async function startListening(args, env = {}) {
  const started = startNode(args, { env })
  /** @type {number} */
  const port = await new Promise((resolve, reject) => {
    started.child.stdout.on(
      'data',
      splitLines(line => resolve(JSON.parse(line.toString()).port)),
    )
    started.child.on('exit', () => reject(new Error(`${args[0]} ended: ${started.complaints()}`)))
  })
  return { ...started, port }
}

/** Ends whatever is still running; for an interrupted run. */
export function killAll() {
  for (const { child } of running) child.kill('SIGKILL')
}

/**
 * CPU time of all threads of a process since it began, in seconds.
 * @param {number} pid
 */
export function readCpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/**
 * Resident memory in MiB.
 * @param {number} pid
 */
export function readRss(pid) {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kib) / 1024
}

/**
 * How many children a process has now.
 * @param {number} pid
 */
export function countChildren(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).length)
    .reduce((sum, count) => sum + count, 0)
}
