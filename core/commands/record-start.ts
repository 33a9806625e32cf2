// What a gateway begins with, for the record: the texts of its config and its plugins; and why it does not begin.
import type { Loaded } from '../config/load.ts'
import type { Kernel } from '../kernel.ts'
import type { AdminEvent, Operator, Recording } from '../plugin/index.ts'
import { createVerbRecord, type VerbContext } from './record.ts'

interface Why {
  readonly code: string
  readonly message: string
}

/** Rejects where it cannot be recorded: such a gateway must not serve. */
export async function recordStart(
  recording: Recording,
  loaded: Loaded,
  { plugins, report }: Kernel,
  actor: Operator,
  anonymous: boolean,
): Promise<void> {
  const loads = plugins.map(({ plugin, source, origin: { version, digest } }, i): AdminEvent => {
    const known = source === 'built-in' ? report.version : version
    const detail = { plugin: plugin.name, order: i + 1, source, ...(known !== undefined && { version: known }), ...(digest && { digest }) }
    return { type: 'plugin.load', actor, detail }
  })
  const config: AdminEvent = {
    type: 'config.load',
    actor,
    detail: { files: filesOf(loaded), ...(anonymous && { insecure: 'allow-anonymous' }) },
  }
  // All at once: they become durable together.
  await Promise.all([config, ...loads].map(event => recording.event(event)))
}

/** The config was understood and is refused all the same. */
export function refusedStart(findings: readonly Why[], loaded: Pick<Loaded, 'digests'>): AdminEvent {
  return {
    type: 'config.refused',
    success: false,
    detail: {
      files: filesOf(loaded),
      findings: findings.map(({ code, message }) => ({ code, message: message.slice(0, LONGEST) })),
    },
  }
}

/** For a gateway whose recorder does not run. What cannot be recorded is in the log, and on stderr in any case. */
export async function recordRefusedStart(findings: readonly Why[], loaded: Loaded, context: VerbContext): Promise<void> {
  const record = createVerbRecord(loaded, context)
  await record.event(refusedStart(findings, loaded))
  await record.close()
}

export function filesOf({ digests }: Pick<Loaded, 'digests'>): { readonly file: string; readonly digest: string }[] {
  return digests.map(({ file, digest }) => ({ file, digest }))
}

const LONGEST = 500
