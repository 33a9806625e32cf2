// When a running gateway takes its config again: on SIGHUP, and when a file of it has changed. One at a time.
import { stat } from 'node:fs/promises'
import type { Clock, Log } from '../plugin/index.ts'

export interface ReloadingParts {
  /** Absolute. */
  readonly files: readonly string[]
  /** When they were read, or a little before; ms since 1970. */
  readonly since: number
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  /** `isWanted`: somebody asks for it; files of plugins are then to be read again, too. */
  reload(isWanted: boolean): Promise<void>
}

export interface Reloading {
  /** Somebody asks for it. */
  ask(): void
  stop(): void
}

const LOOK_MS = 500

export function startReloading({ files, since, clock, log, reload }: ReloadingParts): Reloading {
  let taken: string | undefined
  let seen: string | undefined
  let wanted: boolean | undefined
  let running = false
  let stopped = false
  let cancel = (): void => {}
  look()

  /** Asked while one runs, it is done once more: what was read may be older than what is asked for. */
  function ask(isWanted: boolean): void {
    wanted = isWanted || wanted === true
    if (!running && !stopped) void work()
  }

  async function work(): Promise<void> {
    running = true
    while (wanted !== undefined && !stopped) {
      const isWanted = wanted
      wanted = undefined
      await reload(isWanted).catch(error => log.error('bug: the config could not be taken again', { error: String(error) }))
    }
    running = false
  }

  function look(): void {
    void stateOf(files).then(now => {
      if (stopped) return
      cancel = clock.after(LOOK_MS, look)
      // What was written while the gateway started was not what it read.
      taken ??= now.latest > since ? '' : now.text
      // Twice the same: nobody is writing it.
      if (now.text !== taken && now.text === seen) {
        taken = now.text
        ask(false)
      }
      seen = now.text
    })
  }

  return {
    ask: () => ask(true),
    stop() {
      stopped = true
      cancel()
    },
  }
}

/** One that is not there now is being replaced. */
async function stateOf(files: readonly string[]): Promise<{ readonly text: string; readonly latest: number }> {
  const states = await Promise.all(
    files.map(file =>
      stat(file).then(
        ({ ino, size, mtimeMs }) => ({ text: `${ino} ${size} ${mtimeMs}`, mtimeMs }),
        () => ({ text: '-', mtimeMs: 0 }),
      ),
    ),
  )
  return { text: states.map(({ text }) => text).join('\n'), latest: Math.max(0, ...states.map(({ mtimeMs }) => mtimeMs)) }
}
