// The recorder alone, without a gateway: what is done on the command line goes on record also while none runs.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { loadPlugin, type PluginEntry } from '../loader.ts'
import { type Recording, Recording as recordingService, type Service } from '../plugin/index.ts'
import { createContext } from './context.ts'
import { composeKernel, type Host, tokens } from './services.ts'
import { createReleases } from './stop.ts'

export interface Recorder {
  readonly recording: Recording
  /** Another service of the same plugin. */
  find<T>(service: Service<T>): T | undefined
  close(): Promise<void>
}

const LIMIT_MS = 30_000

/**
 * Sets up the first plugin that provides `Recording`, and nothing else; it is not started. Undefined where none does. Throws where it
 * cannot be set up.
 */
export async function openRecorder(
  entries: readonly PluginEntry[],
  host: Omit<Host, 'instance'>,
  version: string,
): Promise<Recorder | undefined> {
  for (const entry of entries) {
    const loaded = await loadPlugin(entry, host.dir ?? process.cwd())
    if (loaded.kind === 'refused') continue
    const { plugin } = loaded.checked
    if (plugin.provides?.some(({ id }) => id === recordingService.id) !== true) continue
    const services = composeKernel({ ...host, instance: { id: hostname(), boot: randomUUID(), version } }, { hookMs: LIMIT_MS })
    const releases = createReleases(host.clock, LIMIT_MS, host.log)
    const close = async (): Promise<void> => {
      await releases.run()
      await services.dispose()
    }
    const order = entries.map(({ name }) => name)
    try {
      await plugin.setup(
        createContext(loaded.checked, { services, order, open: false, dischargers: [], plugins: [loaded.checked], onStop: releases.add }),
      )
      const registry = services.get(tokens.registry)
      const recording = registry.find(recordingService)
      if (recording !== undefined) return { recording, find: service => registry.find(service), close }
    } catch (error) {
      await close()
      throw error
    }
    await close()
  }
  return undefined
}
