// What a gateway begins with, for the record: the texts of its config and its plugins; and why it does not begin.
import type { Loaded } from '../config/load.ts'
import type { Finding } from '../finding.ts'
import type { Kernel } from '../kernel.ts'
import type { AdminEvent, Operator, Recording } from '../plugin/index.ts'

/** Rejects where it cannot be recorded: such a gateway must not serve. */
export async function recordStart(recording: Recording, { digests }: Loaded, { plugins, report }: Kernel, actor: Operator): Promise<void> {
  const loads = plugins.map(({ plugin, source, origin: { version, digest } }, i): AdminEvent => {
    const known = source === 'built-in' ? report.version : version
    const detail = { plugin: plugin.name, order: i + 1, source, ...(known !== undefined && { version: known }), ...(digest && { digest }) }
    return { type: 'plugin.load', actor, detail }
  })
  const config: AdminEvent = { type: 'config.load', actor, detail: { files: digests.map(({ file, digest }) => ({ file, digest })) } }
  // All at once: they become durable together.
  await Promise.all([config, ...loads].map(event => recording.event(event)))
}

/** The config was understood and is refused all the same. */
export function refusedStart(findings: readonly Pick<Finding, 'code' | 'message'>[], { digests }: Loaded): AdminEvent {
  return {
    type: 'config.refused',
    success: false,
    detail: {
      files: digests.map(({ file, digest }) => ({ file, digest })),
      findings: findings.map(({ code, message }) => ({ code, message: message.slice(0, LONGEST) })),
    },
  }
}

const LONGEST = 500
