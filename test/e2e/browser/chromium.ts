// A headless Chromium of its own profile: opens one page, and is gone with its children when the work is done.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** `CHROMIUM` names another than that of Debian's package. */
export const hasChromium: boolean = existsSync(program)

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Headless Chromium stays only while something can drive it.
  '--remote-debugging-port=0',
]

/** What `done` resolves to, with `url` open meanwhile; rejects with what the browser said where that ends first. */
export async function withPage<T>(url: string, done: Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'mcpgw-chromium-'))
  const child = spawn(program, [...FLAGS, `--user-data-dir=${home}`, url], {
    // A group of its own, so that its helpers end with it.
    detached: true,
    env: { PATH: process.env.PATH, HOME: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => reject(new Error(`${program} ended early (${code ?? signal}):\n${said}`)))
  })
  try {
    return await Promise.race([done, failed])
  } finally {
    if (child.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended already.
      }
      await closed
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}
