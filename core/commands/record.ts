// Puts on record what a verb of the command line does: in the log of the data directory, whether a gateway runs or not.
import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { openRecorder, type Recorder } from '../kernel/recorder.ts'
import { findOperator } from '../operator.ts'
import type { AdminEvent, Log, Service, Stores } from '../plugin/index.ts'
import { KnownSecrets } from '../secrets.ts'

export interface VerbRecord {
  /** False where the config names no recorder, or it does not work now; the log says so then. */
  event(event: AdminEvent): Promise<boolean>
  find<T>(service: Service<T>): Promise<T | undefined>
  close(): Promise<void>
}

export interface VerbContext {
  readonly stores: Stores
  readonly log: Log
  /** Where plugins are looked for. */
  readonly cwd: string
  readonly version: string
}

/** The recorder is opened with the first event, for the other verbs need none. */
export function createVerbRecord(loaded: Loaded, { stores, log, cwd, version }: VerbContext): VerbRecord {
  let opening: Promise<Recorder | undefined> | undefined
  const open = (): Promise<Recorder | undefined> => {
    const secrets = new KnownSecrets()
    for (const { server, value } of loaded.injected) secrets.add(server, value)
    const host = { log, clock: systemClock, stores, scrub: (text: string) => secrets.scrubText(text), dir: cwd }
    return openRecorder(loaded.config.plugins, host, version)
  }
  const recorderOf = (): Promise<Recorder | undefined> => (opening ??= open())
  return {
    find: async service => (await recorderOf())?.find(service),
    async event(event) {
      try {
        const recorder = await recorderOf()
        await recorder?.recording.event({ actor: findOperator(), ...event })
        return recorder !== undefined
      } catch (error) {
        log.warn('an event could not be recorded', { type: event.type, error: String(error) })
        return false
      }
    },
    async close() {
      const recorder = await opening?.catch(() => undefined)
      await recorder?.close()
    },
  }
}
