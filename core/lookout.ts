// Asks something again and again, one question at a time, and tells whether there was an answer: for what others change while a gateway runs.
import { timedOut, within } from './clock.ts'
import type { Clock } from './plugin/index.ts'

export interface LookoutOptions<T> {
  readonly clock: Clock
  /** From an answer to the next question. */
  readonly everyMs: number
  /** So long silence counts as no answer. */
  readonly silentMs: number
  ask(): Promise<T>
  there(answer: T): void
  gone(error: unknown): void
}

export interface Lookout {
  /** Nothing is told any more. */
  stop(): void
}

export function startLookout<T>({ clock, everyMs, silentMs, ask, there, gone }: LookoutOptions<T>): Lookout {
  let isStopped = false
  let cancel = (): void => {}
  let asked: Promise<T> | undefined
  /** Who is silent gets no crowd of questions, and his late answer counts. */
  const askOnce = (): Promise<T> =>
    (asked ??= ask().finally(() => {
      asked = undefined
    }))

  async function look(): Promise<void> {
    try {
      const answer = await within(clock, silentMs, askOnce)
      if (isStopped) return
      if (answer === timedOut) throw new Error('no answer')
      there(answer)
    } catch (error) {
      if (isStopped) return
      gone(error)
    }
    cancel = clock.after(everyMs, () => void look())
  }
  void look()

  return {
    stop() {
      isStopped = true
      cancel()
    },
  }
}
