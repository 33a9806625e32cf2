// Takes plugins down: what they registered, in reverse order, each within a time limit; what fails is named and does not stop the rest.
import { timedOut, within } from '../clock.ts'
import { describeError } from '../guard.ts'
import type { Clock, Log } from '../plugin/index.ts'
import type { Release } from './context.ts'

export interface Releases {
  readonly add: (release: Release) => void
  /** Once; a release added from now on runs at once. */
  run(): Promise<readonly { readonly plugin: string; readonly why: string }[]>
}

export function createReleases(clock: Clock, limitMs: number, log: Log): Releases {
  const releases: Release[] = []
  let stopping = false

  async function letGo({ plugin, release }: Release): Promise<{ plugin: string; why: string } | undefined> {
    try {
      if ((await within(clock, limitMs, release)) !== timedOut) return undefined
      log.error('a plugin did not let go in time', { plugin, limitMs })
      return { plugin, why: `not done within ${limitMs} ms` }
    } catch (error) {
      const why = describeError(error)
      log.error('a plugin failed to let go', { plugin, detail: why })
      return { plugin, why }
    }
  }

  return {
    add(release) {
      if (stopping) void letGo(release)
      else releases.push(release)
    },
    async run() {
      stopping = true
      const failed: { plugin: string; why: string }[] = []
      for (let next = releases.pop(); next !== undefined; next = releases.pop()) {
        const failure = await letGo(next)
        if (failure !== undefined) failed.push(failure)
      }
      return failed
    },
  }
}
