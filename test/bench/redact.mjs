// The redact part: how fast text is looked at, searched and masked, and what the worst text costs, in a process of its own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skipUnbuilt } from './targets.mjs'

const WORK = fileURLToPath(new URL('./redact-work.mjs', import.meta.url))
const run = promisify(execFile)

/**
 * @typedef {object} RedactResults in CPU time, on one core
 * @property {number} detectors how many there are
 * @property {Record<string, number>} speeds MB/s
 * @property {{ fragment: string, ms: number }[]} worst for each text of nothing but this fragment, ms per 100 KB; the worst first
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<RedactResults | undefined>}
 */
export async function benchRedact(settings) {
  if (skipUnbuilt(['none']).length === 0) return undefined
  settings.progress('redact')
  const { stdout } = await run(process.execPath, [WORK, String(2 * settings.rounds)], { maxBuffer: 2 ** 24 })
  return JSON.parse(stdout)
}
