// For what operators want done at once, whether it can be recorded or not; the answer says which.
import type { AdminEvent, Recording } from '../plugin/index.ts'

/** False where nothing records, or it could not be. */
export async function recordAnyway(recording: Recording | undefined, event: AdminEvent): Promise<boolean> {
  if (recording === undefined) return false
  return recording.event(event).then(
    () => true,
    () => false,
  )
}
